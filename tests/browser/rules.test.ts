import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Centre, PASSWORD, setUpCentre } from '../harness/centre.ts';
import { launchChromium, openSeat, type SIZES, seriousViolations, takePictures } from '../harness/chromium.ts';
import { mosquittoPub, type Publisher } from '../harness/mosquitto.ts';
import { missing } from '../harness/require.ts';
import { SmartFireServer } from '../harness/server.ts';

const SOON = { timeout: 15_000 };
const MINUTE = 60_000;
const without = [missing('chromium'), missing('mosquitto')].includes(true);

describe.skipIf(without)('the rules of a centre', () => {
  let server: SmartFireServer;
  let centre: Centre;
  let browser: Browser;
  const devices = new Map<string, Publisher>();
  const open: { errors: string[]; close(): Promise<void> }[] = [];
  /** Address of the rule made in the first test. */
  let rulePath = '';

  beforeAll(async () => {
    server = await SmartFireServer.launch();
    centre = await setUpCentre(server.url, server.setupToken);
    await centre.admin.addPerson('duty-lead', 'lei', PASSWORD);
    await centre.addOperator('mei');
    // What it sees in these temperatures is another rule's story.
    const { version } = await centre.admin.get<{ version: number }>('rules/preset:fire-fusion');
    await centre.admin.patch('rules/preset:fire-fusion', { version, mode: 'off' });
    for (const id of ['grain-1', 'grain-2']) {
      const { secret } = await centre.admin.addDevice(centre.site.id, 'heat-detector', id);
      devices.set(id, { port: server.ports.mqtt, user: id, password: secret });
      await publishHistory(id);
    }
    browser = await launchChromium();
  });
  afterEach(async () => {
    const errors = open.flatMap((seat) => seat.errors);
    for (const seat of open.splice(0)) await seat.close();
    expect(errors, 'errors of the pages').toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  /** Two hours of 22 °C, with 47 °C for ten minutes an hour ago. */
  async function publishHistory(id: string) {
    const now = Date.now();
    const rows = Array.from({ length: 120 }, (_, i) => {
      const ts = now - (120 - i) * MINUTE;
      return { ts, values: { temperature: i >= 60 && i < 70 ? 47 : 22 } };
    });
    await send(id, 'telemetry', rows);
  }
  async function send(id: string, channel: 'telemetry' | 'event', payload: unknown) {
    const me = devices.get(id)!;
    expect(await mosquittoPub(me, `smartfire/v1/${id}/${channel}`, JSON.stringify(payload))).toMatchObject({ code: 0 });
  }
  const temperature = (id: string, value: number) => send(id, 'telemetry', { values: { temperature: value } });

  async function seat(username: string, size: keyof typeof SIZES = 'desktop'): Promise<Page> {
    const { page, ...rest } = await openSeat(browser, `${server.url}/`, size);
    open.push(rest);
    await page.getByTestId('login-username').fill(username);
    await page.getByTestId('login-password').fill(PASSWORD);
    await page.getByTestId('login-submit').click();
    await expect.poll(() => page.getByTestId('frame').getAttribute('data-stale'), SOON).toBe('false');
    return page;
  }
  async function go(page: Page, path: string) {
    await page.goto(server.url + path);
    await page.waitForLoadState('networkidle');
  }
  async function choose(page: Page, testid: string, text: string) {
    await page.getByTestId(testid).click();
    await page.locator('.el-select-dropdown__item:visible').filter({ hasText: text }).first().click();
  }
  /** A choice of several stays open until it is left. */
  async function leaveChoice(page: Page) {
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.el-select-dropdown:visible').count(), SOON).toBe(0);
  }
  const alarmsOf = (page: Page, device: string) => page.getByTestId('alarm-row').filter({ hasText: device });
  const shadowOf = (page: Page, device: string) => page.locator(`[data-testid=shadow-row][data-device=${device}]`);
  /** Looks again at what was withheld until it is there. */
  const expectWithheld = (page: Page, device: string, count: number) =>
    expect
      .poll(async () => {
        await page.getByTestId('shadow-refresh').click();
        await page.waitForLoadState('networkidle');
        return shadowOf(page, device).count();
      }, SOON)
      .toBe(count);

  it('are made in shadow, overridden, tried over history, switched on, and fire', async () => {
    const page = await seat('lei');
    await page.getByTestId('menu-rules').click();
    await page.getByTestId('rule-add').click();
    await page.getByTestId('kind-threshold').click();
    await page.getByTestId('rule-zh').fill('粮仓温度偏高');
    await page.getByTestId('rule-en').fill('Grain store too warm');
    await choose(page, 'parameter-metric', '温度');
    await page.getByTestId('parameter-limit').fill('45');
    await page.getByTestId('parameter-hysteresis').fill('-3');
    expect(await page.getByTestId('parameter-hysteresis-error').isVisible()).toBe(true);
    expect(await page.getByTestId('rule-create-shadow').isDisabled()).toBe(true);
    await page.getByTestId('parameter-hysteresis').fill('3');
    await page.getByTestId('parameter-forMs').fill('0');
    await choose(page, 'scope-kinds', '感温火灾探测器');
    await leaveChoice(page);
    expect(await seriousViolations(page)).toEqual([]);
    await takePictures(page, 'rule-new');
    await page.getByTestId('rule-create-shadow').click();
    await expect.poll(() => page.getByTestId('rule-mode').getAttribute('data-mode'), SOON).toBe('shadow');
    rulePath = new URL(page.url()).pathname;

    // One device may be warmer.
    await page.getByTestId('override-add').click();
    await choose(page, 'scope-device', 'grain-1');
    await choose(page, 'override-parameters', '限值');
    await leaveChoice(page);
    await page.getByTestId('override-limit').fill('60');
    await page.getByTestId('override-save').click();
    await expect.poll(() => page.getByTestId('override-row').textContent(), SOON).toContain('60 °C');
    await go(page, '/devices/grain-1');
    const mine = page.getByTestId('device-rule').filter({ hasText: '粮仓温度偏高' });
    await expect.poll(() => mine.getByTestId('rule-origin').textContent(), SOON).toContain('60 °C');
    await go(page, rulePath);

    // In shadow it is counted and raises nothing.
    await temperature('grain-1', 47);
    await temperature('grain-2', 47);
    await expectWithheld(page, 'grain-2', 1);
    expect(await shadowOf(page, 'grain-1').count()).toBe(0);
    expect(await page.getByTestId('rule-shadow-raised').textContent()).toBe('1');
    await go(page, '/');
    expect(await alarmsOf(page, 'grain-2').count()).toBe(0);
    await go(page, rulePath);

    await page.getByTestId('rule-backtest').click();
    await choose(page, 'backtest-device', 'grain-2');
    await page.getByTestId('backtest-run').click();
    await expect.poll(() => page.getByTestId('backtest-chart').locator('canvas').count(), SOON).toBe(1);
    // An hour ago, and just now.
    expect(await page.getByTestId('backtest-episodes').textContent()).toBe('2');
    expect(await seriousViolations(page)).toEqual([]);
    await takePictures(page, 'rule-backtest');
    // One that takes long can be stopped, without a word of complaint.
    await page.route('**/rules/backtest', () => {});
    await page.getByTestId('backtest-run').click();
    await page.getByTestId('backtest-stop').click();
    await expect.poll(() => page.getByTestId('backtest-stop').count(), SOON).toBe(0);
    expect(await page.getByTestId('backtest-problem').count()).toBe(0);
    await page.unroute('**/rules/backtest');
    await page.keyboard.press('Escape');

    await temperature('grain-2', 20);
    await page.getByTestId('mode-on').click();
    await expect.poll(() => page.getByTestId('rule-mode').getAttribute('data-mode'), SOON).toBe('on');
    await takePictures(page, 'rule');
    await go(page, '/');
    await temperature('grain-2', 48);
    await expect.poll(() => alarmsOf(page, 'grain-2').getAttribute('data-class'), SOON).toBe('early-warning');
    await takePictures(page, 'rule-fired');
  });

  it('say who changed what, and lead back to any version', async () => {
    const page = await seat('lei');
    await go(page, rulePath);
    await page.getByTestId('parameter-limit').fill('40');
    await page.getByTestId('rule-save').click();
    const newest = page.getByTestId('version').first();
    await expect.poll(() => newest.textContent(), SOON).toContain('40 °C');
    expect(await newest.textContent()).toContain('lei');
    await page.getByTestId('schedule-add').click();
    await page.getByTestId('rule-save').click();
    await expect.poll(() => newest.textContent(), SOON).toContain('每天 18:00–次日 08:00');
    // The first version: before the override, in shadow, at 45 °C.
    await page.getByTestId('go-back-1').click();
    await page.getByTestId('go-back-1').click();
    await expect.poll(() => page.getByTestId('rule-mode').getAttribute('data-mode'), SOON).toBe('shadow');
    await expect.poll(() => page.getByTestId('parameter-limit').inputValue(), SOON).toBe('45');
    await expect.poll(() => page.getByTestId('override-row').count(), SOON).toBe(0);
  });

  it('let nobody be stuck when somebody else was faster', async () => {
    const page = await seat('lei');
    await go(page, rulePath);
    const rule = `rules/${rulePath.split('/').at(-1)}`;
    const change = async (limit: number) => {
      const { version } = await centre.admin.get<{ version: number }>(rule);
      await centre.admin.patch(rule, { version, definition: { limit } });
    };
    await page.getByTestId('override-add').click();
    await choose(page, 'scope-device', 'grain-1');
    await choose(page, 'override-parameters', '限值');
    await leaveChoice(page);
    await page.getByTestId('override-limit').fill('61');
    await change(46);
    await page.getByTestId('override-save').click();
    await expect.poll(() => page.getByTestId('override-problem').isVisible(), SOON).toBe(true);
    await expect.poll(() => page.getByTestId('parameter-limit').inputValue(), SOON).toBe('46');
    await page.getByTestId('override-save').click();
    await expect.poll(() => page.getByTestId('override-row').textContent(), SOON).toContain('61 °C');

    await change(45);
    await page.getByTestId('override-remove').click();
    await expect.poll(() => page.getByTestId('parameter-limit').inputValue(), SOON).toBe('45');
    await page.getByTestId('override-remove').click();
    await expect.poll(() => page.getByTestId('override-row').count(), SOON).toBe(0);
  });

  it('withhold in maintenance what is no fire, and say so', async () => {
    const page = await seat('lei');
    await go(page, rulePath);
    await page.getByTestId('mode-on').click();
    await expect.poll(() => page.getByTestId('rule-mode').getAttribute('data-mode'), SOON).toBe('on');
    await temperature('grain-1', 20);
    await go(page, '/maintenance');
    await page.getByTestId('maintenance-add').click();
    await choose(page, 'scope-level', '设备');
    await choose(page, 'scope-device', 'grain-1');
    await page.getByTestId('maintenance-reason').fill('new base');
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByTestId('maintenance-save').click();
    await expect.poll(() => page.getByTestId('maintenance-running').textContent(), SOON).toContain('new base');
    await takePictures(page, 'maintenance');
    await go(page, '/devices/grain-1');
    await expect.poll(() => page.getByTestId('maintenance-banner').isVisible(), SOON).toBe(true);

    await temperature('grain-1', 50);
    await go(page, rulePath);
    await expectWithheld(page, 'grain-1', 1);
    await go(page, '/');
    expect(await alarmsOf(page, 'grain-1').count()).toBe(0);
    await send('grain-1', 'event', { event: 'fire' });
    await expect.poll(() => alarmsOf(page, 'grain-1').getAttribute('data-class'), SOON).toBe('fire');

    // What is kept back is counted on every page, and listed with the rule that found it.
    await go(page, '/maintenance');
    await expect.poll(() => page.getByTestId('maintenance-bar-withheld').textContent(), SOON).toContain('1');
    await page.getByTestId('maintenance-withheld').click();
    await expect.poll(() => shadowOf(page, 'grain-1').textContent(), SOON).toContain('粮仓温度偏高');
    await takePictures(page, 'maintenance-withheld');
    expect(await seriousViolations(page)).toEqual([]);
    await page.keyboard.press('Escape');

    // Ended early: what is still there is raised now.
    await page.getByTestId('maintenance-end').click();
    await page.getByTestId('maintenance-end').click();
    await expect.poll(() => page.getByTestId('maintenance-running').count(), SOON).toBe(0);
    await go(page, '/');
    await expect.poll(() => alarmsOf(page, 'grain-1').count(), SOON).toBe(2);
  });

  it('are read from YAML only after saying what would change', async () => {
    const page = await seat('lei');
    await go(page, '/rules');
    const { id } = (
      await centre.admin.get<{ items: { id: string; preset: boolean }[] }>('rules?limit=1000')
    ).items.find(({ preset }) => !preset)!;
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('rules-export').click()]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    const yaml = Buffer.concat(chunks).toString();
    expect(yaml).toContain('Grain store too warm');
    await page.getByTestId('rules-import').click();
    await page.getByTestId('import-text').fill(yaml.replaceAll('Grain store too warm', 'Grain store far too warm'));
    await page.getByTestId('import-save').click();
    await expect.poll(() => page.getByTestId('import-plan').textContent(), SOON).toContain(id);
    expect(await page.locator(`[data-rule="${id}"]`).textContent()).toContain('粮仓温度偏高');
    await page.getByTestId('import-save').click();
    await expect.poll(() => page.getByTestId('import-dialog').isVisible(), SOON).toBe(false);
    await page.getByTestId('language-switch').click();
    await expect.poll(() => page.locator(`[data-rule="${id}"]`).textContent(), SOON).toContain('far too warm');
  });

  it('show those who may only read no way to change them', async () => {
    const page = await seat('mei');
    await go(page, '/rules');
    expect(await page.getByTestId('rule-row').count()).toBeGreaterThan(20);
    for (const testid of ['rule-add', 'rules-import']) expect(await page.getByTestId(testid).count()).toBe(0);
    await go(page, rulePath);
    expect(await page.getByTestId('rule-name').textContent()).toContain('粮仓温度偏高');
    for (const testid of ['rule-save', 'mode-on', 'override-add', 'rule-remove', 'go-back-1'])
      expect(await page.getByTestId(testid).count()).toBe(0);
    expect(await page.getByTestId('rule-backtest').count()).toBe(1);
    await go(page, '/maintenance');
    expect(await page.getByTestId('maintenance-add').count()).toBe(0);
  });

  it.each(['desktop', 'phone'] as const)('have no page with a serious barrier on a %s', async (size) => {
    const page = await seat('lei', size);
    const preset = `/rules/${encodeURIComponent('preset:fire-fusion')}`;
    for (const path of ['/rules', rulePath, preset, '/rules/new', '/maintenance', '/devices/grain-1']) {
      await go(page, path);
      expect(await seriousViolations(page), path).toEqual([]);
      const over = await page.evaluate(() => {
        const { body } = (globalThis as never as { document: { body: { scrollWidth: number; clientWidth: number } } })
          .document;
        return body.scrollWidth - body.clientWidth;
      });
      expect(over, `${path} is wider than the screen`).toBeLessThanOrEqual(0);
      if (size === 'phone') continue;
      await page.getByTestId('theme-switch').click();
      await page.getByTestId('language-switch').click();
      expect(await seriousViolations(page), `${path} in the other language and theme`).toEqual([]);
    }
  });
});
