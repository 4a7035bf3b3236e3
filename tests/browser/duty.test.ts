import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Centre, PASSWORD, setUpCentre } from '../harness/centre.ts';
import { launchChromium, openSeat, type SIZES, seriousViolations, takePictures } from '../harness/chromium.ts';
import { mosquittoPub, type Publisher } from '../harness/mosquitto.ts';
import { missing } from '../harness/require.ts';
import { SmartFireServer } from '../harness/server.ts';

const SOON = { timeout: 15_000 };
const without = [missing('chromium'), missing('mosquitto')].includes(true);

describe.skipIf(without)('a seat at the console', () => {
  let server: SmartFireServer;
  let centre: Centre;
  let browser: Browser;
  const open: { errors: string[]; close(): Promise<void> }[] = [];

  beforeAll(async () => {
    server = await SmartFireServer.launch();
    centre = await setUpCentre(server.url, server.setupToken);
    for (const name of ['mei', 'jun']) await centre.addOperator(name);
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

  async function seat(username: string, size: keyof typeof SIZES = 'desktop'): Promise<Page> {
    const { page, ...rest } = await openSeat(browser, `${server.url}/`, size);
    open.push(rest);
    await page.getByTestId('login-username').fill(username);
    await page.getByTestId('login-password').fill(PASSWORD);
    await page.getByTestId('login-submit').click();
    await expectLive(page);
    return page;
  }
  async function device(id: string): Promise<Publisher> {
    const { secret } = await centre.admin.addDevice(centre.site.id, 'smoke-detector', id);
    return { port: server.ports.mqtt, user: id, password: secret };
  }
  const fire = async (me: Publisher) =>
    expect(await mosquittoPub(me, `smartfire/v1/${me.user}/event`, '{"event":"fire"}')).toMatchObject({ code: 0 });
  const expectLive = (page: Page) => expect.poll(() => frame(page).getAttribute('data-stale'), SOON).toBe('false');
  const frame = (page: Page) => page.getByTestId('frame');
  const sound = (page: Page) => frame(page).getAttribute('data-sound-state');
  const row = (page: Page, id: string) => page.getByTestId('alarm-row').filter({ hasText: id });

  it('shows a fire without a reload, sounds, and tells the other seat who acknowledged it', async () => {
    const me = await device('store-1');
    const [mine, other] = [await seat('mei'), await seat('jun')];
    expect(await sound(mine)).toBe('armed');

    await fire(me);
    for (const page of [mine, other]) {
      await expect.poll(() => row(page, 'store-1').getAttribute('data-class'), SOON).toBe('fire');
      await expect.poll(() => sound(page), SOON).toBe('sounding');
    }
    await takePictures(mine, 'duty-fire');

    // Silence is this seat's alone and acknowledges nothing.
    await mine.getByTestId('silence').click();
    expect(await sound(mine)).toBe('silenced');
    expect(await sound(other)).toBe('sounding');
    expect(await row(mine, 'store-1').getAttribute('data-state')).toBe('active-unacknowledged');

    await row(mine, 'store-1').click();
    await mine.getByTestId('acknowledge').click();
    await mine.getByTestId('ack-reason').fill('calling the guard');
    await mine.getByTestId('ack-submit').click();
    for (const page of [mine, other]) {
      await expect.poll(() => row(page, 'store-1').getAttribute('data-state'), SOON).toBe('active-acknowledged');
      await expect.poll(() => row(page, 'store-1').textContent(), SOON).toContain('mei');
      await expect.poll(() => sound(page), SOON).toBe('armed');
    }
    await takePictures(mine, 'duty-acknowledged');
  });

  it('says that it is stale when the server is killed, and is in step again when it is back', async () => {
    const me = await device('store-2');
    const page = await seat('mei');
    await page.evaluate(() => {
      (globalThis as { neverReloaded?: boolean }).neverReloaded = true;
    });
    await fire(me);
    await expect.poll(() => row(page, 'store-2').count(), SOON).toBe(1);

    await server.kill('SIGKILL');
    await expect.poll(() => page.getByTestId('stale-bar').isVisible(), SOON).toBe(true);
    await row(page, 'store-2').click();
    expect(await page.getByTestId('acknowledge').isDisabled()).toBe(true);
    await takePictures(page, 'duty-stale');

    await server.start();
    await expectLive(page);
    expect(await page.getByTestId('stale-bar').count()).toBe(0);
    expect(await row(page, 'store-2').count()).toBe(1);
    // Still the same page, and what comes now arrives.
    await fire(await device('store-3'));
    await expect.poll(() => row(page, 'store-3').count(), SOON).toBe(1);
    expect(await page.evaluate(() => (globalThis as { neverReloaded?: boolean }).neverReloaded)).toBe(true);
  });

  it('shows every fire at once while nothing else needs the room', async () => {
    for (let flat = 1; flat <= 12; flat++) await fire(await device(`tower-${flat}`));
    const page = await seat('mei');
    const rows = page.getByTestId('alarm-row').filter({ hasText: 'tower-' });
    await expect.poll(() => rows.count(), SOON).toBe(12);
    const section = (await page.locator('section.fires').boundingBox())!;
    for (const one of await rows.all()) {
      const { y, height } = (await one.boundingBox())!;
      expect(y).toBeGreaterThanOrEqual(section.y);
      expect(y + height).toBeLessThanOrEqual(section.y + section.height + 1);
    }
    await takePictures(page, 'duty-fires');
  });

  it.each([
    ['mei', 'desktop'],
    ['mei', 'phone'],
    ['root', 'desktop'],
  ] as const)('has no page with a serious barrier for %s on a %s', async (username, size) => {
    const page = await seat(username, size);
    const menu = await page.locator('nav a').evaluateAll((links) => links.map((link) => link.getAttribute('href')!));
    expect(new Set(menu).size).toBe(menu.length);
    for (const path of [...menu, '/devices/store-1']) {
      await page.goto(server.url + path);
      await expectLive(page);
      await page.waitForLoadState('networkidle');
      expect(await seriousViolations(page), path).toEqual([]);
      // On a phone it is folded away.
      if (size === 'phone') continue;
      await page.getByTestId('language-switch').click();
      expect(await seriousViolations(page), `${path} in the other language`).toEqual([]);
    }
  });
});

describe.skipIf(without)('the first start', () => {
  let server: SmartFireServer;
  let browser: Browser;
  beforeAll(async () => {
    server = await SmartFireServer.launch();
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  it('leads from the one-time link to the first reading of the first device', async () => {
    const { page, errors, close } = await openSeat(browser, `${server.url}/setup#${server.setupToken}`);
    const next = () => page.getByTestId('setup-next').click();
    await page.getByTestId('setup-username').fill('root');
    await page.getByTestId('setup-name').fill('Administrator');
    await page.getByTestId('setup-password').fill(PASSWORD);
    expect(await seriousViolations(page)).toEqual([]);
    await takePictures(page, 'setup-administrator');
    await next();
    await page.getByTestId('setup-area-name').fill('East County');
    await next();
    await page.getByTestId('setup-site-name').fill('Grain Store');
    await page.getByTestId('setup-site-address').fill('Mill Lane 1');
    await next();
    await page.getByTestId('setup-device-name').fill('first floor');
    await page.getByTestId('setup-device-id').fill('first');
    await next();

    const secret = (await page.getByTestId('device-secret').textContent())!.trim();
    expect(await page.getByTestId('setup-first-reading').getAttribute('data-received')).toBe('false');
    const me = { port: server.ports.mqtt, user: 'first', password: secret };
    expect(await mosquittoPub(me, 'smartfire/v1/first/telemetry', '{"values":{"temperature":21.5}}')).toMatchObject({
      code: 0,
    });
    await expect.poll(() => page.getByTestId('setup-first-reading').getAttribute('data-received'), SOON).toBe('true');
    expect(await page.getByTestId('setup-first-reading').textContent()).toContain('21.5');
    await takePictures(page, 'setup-first-reading');

    await page.getByTestId('setup-done').click();
    await expect.poll(() => page.getByTestId('frame').getAttribute('data-stale'), SOON).toBe('false');
    expect(errors).toEqual([]);
    await close();
  });
});
