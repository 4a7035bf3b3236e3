/** Hour of the local day with fraction; China keeps one time zone, eight hours ahead. */
export function chinaHour(time: number): number {
  return (((time / 3_600_000 + 8) % 24) + 24) % 24;
}

/** A bump of height 1 at `peak` o'clock, `width` hours wide (one standard deviation), across midnight too. */
export function bump(hour: number, peak: number, width: number): number {
  const distance = Math.abs(((hour - peak + 36) % 24) - 12);
  return Math.exp(-0.5 * (distance / width) ** 2);
}

/** People at home and at work: 0 in the small hours, 1 at the evening peak. Drives water use and electrical load. */
export function activity(hour: number): number {
  return Math.min(1, 0.65 * bump(hour, 7.5, 1.3) + 0.55 * bump(hour, 12.5, 2.5) + 0.95 * bump(hour, 19.5, 2.2));
}

/** When meals are cooked: 1 at noon and six in the evening. */
export function cooking(hour: number): number {
  return Math.min(1, 0.6 * bump(hour, 6.8, 0.6) + bump(hour, 11.5, 0.7) + bump(hour, 18, 0.8));
}

/** Mean outdoor temperature (°C) of the Yangtze delta by season (3 °C in late January, 28 °C in late July) and hour (±4 K, warmest at 15 h). */
export function outdoors(time: number, hour: number): number {
  const dayOfYear = (time / 86_400_000) % 365.2425;
  return (
    15.5 - 12.5 * Math.cos((2 * Math.PI * (dayOfYear - 22)) / 365.2425) + 4 * Math.cos((2 * Math.PI * (hour - 15)) / 24)
  );
}
