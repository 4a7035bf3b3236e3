/** Words in both languages, for an error's parameters; reads as English where it is only put into a string (logs). */
export class Words {
  readonly zh: string;
  readonly en: string;

  constructor(zh: string, en: string) {
    this.zh = zh;
    this.en = en;
  }

  toString(): string {
    return this.en;
  }
}
