import { Words } from '@smart-fire/core';

/** What an error's `{what}` can be, for people. */
const NOUNS = {
  area: { zh: '区域', en: 'Area' },
  site: { zh: '联网单位', en: 'Site' },
  zone: { zh: '部位', en: 'Zone' },
  device: { zh: '设备', en: 'Device' },
  alarm: { zh: '报警', en: 'Alarm' },
  rule: { zh: '规则', en: 'Rule' },
  override: { zh: '局部设置', en: 'Override' },
  maintenance: { zh: '维保窗口', en: 'Maintenance window' },
  user: { zh: '用户', en: 'User' },
  token: { zh: '令牌', en: 'Token' },
  path: { zh: '路径', en: 'Path' },
  areas: { zh: '下级区域', en: 'areas' },
  sites: { zh: '联网单位', en: 'sites' },
  zones: { zh: '部位', en: 'zones' },
  devices: { zh: '设备', en: 'devices' },
  people: { zh: '用户', en: 'people' },
  alarms: { zh: '未关闭的报警', en: 'unclosed alarms' },
} as const;

export function noun(entity: keyof typeof NOUNS, id?: string): Words {
  const { zh, en } = NOUNS[entity];
  return id === undefined ? new Words(zh, en) : new Words(`${zh} ${id}`, `${en} ${id}`);
}
