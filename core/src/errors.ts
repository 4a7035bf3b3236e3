/**
 * The only catalogue of errors people or programs can meet: stable code, HTTP status, and the sentence in both languages.
 * `{name}` is filled from the error's parameters. A sentence says what is wrong, where, and how to mend it.
 */
export const ERRORS = {
  FIRE_REQUEST_INVALID: { status: 400, en: 'The request is not valid: {problems}', zh: '请求内容无效:{problems}' },
  FIRE_LOGIN_REQUIRED: { status: 401, en: 'Log in first.', zh: '请先登录。' },
  FIRE_LOGIN_FAILED: {
    status: 401,
    en: 'User name or password is wrong, or the account is disabled.',
    zh: '用户名或密码错误,或帐号已停用。',
  },
  FIRE_LOGIN_INSECURE: {
    status: 403,
    en: 'Log-in over plain http from another machine is refused. Use https (see TLS_CERT, TLS_KEY), or log in on the machine itself.',
    zh: '拒绝从其他机器经明文 http 登录。请使用 https(见 TLS_CERT、TLS_KEY),或在本机登录。',
  },
  FIRE_LOGIN_THROTTLED: {
    status: 429,
    en: 'Too many failed log-ins. Wait {seconds} s.',
    zh: '登录失败次数过多,请等待 {seconds} 秒。',
  },
  FIRE_ORIGIN_REFUSED: {
    status: 403,
    en: 'The request came from another web site and was refused.',
    zh: '请求来自其他网站,已拒绝。',
  },
  FIRE_PERMISSION_DENIED: {
    status: 403,
    en: 'Your role does not allow this here ({permission}).',
    zh: '您的角色无权在此执行该操作({permission})。',
  },
  FIRE_NOT_FOUND: {
    status: 404,
    en: '{what} does not exist, or is outside your area.',
    zh: '{what} 不存在,或不在您的辖区内。',
  },
  FIRE_ALREADY_EXISTS: {
    status: 409,
    en: '{what} already exists. Choose another id or name.',
    zh: '{what} 已存在,请换一个编号或名称。',
  },
  FIRE_STILL_IN_USE: {
    status: 409,
    en: '{what} still holds {holds}. Move or remove those first.',
    zh: '{what} 之下还有 {holds},请先移走或删除。',
  },
  FIRE_LAST_ADMINISTRATOR: {
    status: 409,
    en: 'This is the last administrator of the whole tree. Make another one first.',
    zh: '这是最后一位全域管理员,请先添加另一位。',
  },
  FIRE_TOKEN_REFUSED: {
    status: 403,
    en: 'An API token cannot do this. Log in with user name and password.',
    zh: 'API 令牌不能执行此操作,请用用户名和密码登录。',
  },
  FIRE_ALARM_CHANGED: {
    status: 409,
    en: 'The alarm has changed since you saw it (now version {version}{by}). Look again and repeat.',
    zh: '该报警已发生变化(当前版本 {version}{by}),请查看后重试。',
  },
  FIRE_ALARM_CLOSED: { status: 409, en: 'The alarm is already closed.', zh: '该报警已关闭。' },
  FIRE_ALARM_VERDICT_REQUIRED: {
    status: 409,
    en: 'A fire alarm needs a verdict before it can be closed.',
    zh: '火警须先核实,才能关闭。',
  },
  FIRE_ALARM_STILL_ACTIVE: {
    status: 409,
    en: 'The condition is still present; the alarm closes when it has cleared.',
    zh: '报警条件仍然存在,恢复后才能关闭。',
  },
  FIRE_ALARM_NOT_ACKNOWLEDGED: {
    status: 409,
    en: 'Acknowledge or verify the alarm before closing it.',
    zh: '请先确认或核实该报警,再关闭。',
  },
  FIRE_RULE_INVALID: { status: 400, en: 'The rule is not valid: {problems}', zh: '规则无效:{problems}' },
  FIRE_RULE_CHANGED: {
    status: 409,
    en: 'The rule has changed since you saw it (now version {version}). Look again and repeat.',
    zh: '该规则已发生变化(当前版本 {version}),请查看后重试。',
  },
  FIRE_RULE_OUTSIDE: {
    status: 403,
    en: 'The rule would act outside your area. Name a place of yours in `scope`, such as {place}.',
    zh: '该规则会作用于您的辖区之外。请在 scope 中指明您辖区内的位置,例如 {place}。',
  },
  FIRE_RULE_FIXED: {
    status: 409,
    en: 'What a device itself declares cannot be tuned, tried out or switched off.',
    zh: '设备自身的判定不能调整、试运行或停用。',
  },
  FIRE_MAINTENANCE_OVER: {
    status: 409,
    en: 'The maintenance window has already ended.',
    zh: '该维保窗口已经结束。',
  },
  FIRE_BACKTEST_TOO_MUCH: {
    status: 400,
    en: 'That is more than a backtest here can take: at most {days} days and {readings} readings. Choose a shorter time.',
    zh: '超出在线回测的上限:最多 {days} 天、{readings} 条读数,请缩短时间范围。',
  },
  FIRE_SETUP_DONE: {
    status: 410,
    en: 'Set-up is already done, or the link has expired. Start the server again for a new link.',
    zh: '初始设置已完成,或链接已失效。请重启服务以获取新链接。',
  },
  FIRE_PAYLOAD_TOO_LARGE: { status: 413, en: 'The request is larger than {max} bytes.', zh: '请求超过 {max} 字节。' },
  FIRE_RATE_LIMITED: {
    status: 429,
    en: 'Too many requests. Wait {seconds} s.',
    zh: '请求过于频繁,请等待 {seconds} 秒。',
  },
  FIRE_INTERNAL: {
    status: 500,
    en: 'Something went wrong on our side. The log has the details under {id}.',
    zh: '服务器内部错误,详见日志 {id}。',
  },
  FIRE_STATE_UNAVAILABLE: {
    status: 503,
    en: 'The state store is away; nothing was changed. Try again.',
    zh: '状态库暂不可用,未作任何更改,请稍后重试。',
  },
  FIRE_READINGS_UNAVAILABLE: {
    status: 503,
    en: 'The readings store is away; readings are kept in the journal and will appear when it is back.',
    zh: '读数库暂不可用;读数保存在日志中,恢复后自动补齐。',
  },
  FIRE_JOURNAL_FULL: {
    status: 503,
    en: 'The journal has reached {max} bytes or the disk is full. Free disk space, raise JOURNAL_MAX, or bring the readings store back.',
    zh: '日志已达 {max} 字节或磁盘已满。请释放磁盘空间、调高 JOURNAL_MAX 或恢复读数库。',
  },
  FIRE_JOURNAL_IO: {
    status: 503,
    en: 'The journal cannot be written: {reason}. Look at its disk; the platform tries again every second.',
    zh: '日志无法写入:{reason}。请检查其所在磁盘;平台每秒重试一次。',
  },
  FIRE_JOURNAL_SLOW: {
    status: 503,
    en: 'The disk of the journal does not keep up or does not answer. Look at it; what waits is written when it answers.',
    zh: '日志所在磁盘响应过慢或没有响应。请检查磁盘;待写数据在其恢复后自动写入。',
  },
  FIRE_FORMAT_UNKNOWN: {
    status: 500,
    en: '{file} has format version {found}; this program knows {known}. Use the program version that wrote it.',
    zh: '{file} 的格式版本为 {found},本程序支持 {known}。请使用写入它的程序版本。',
  },
  FIRE_BACKTEST_FILE: { status: 400, en: '{file}: {problem}', zh: '{file}:{problem}' },
  FIRE_BACKTEST_COLUMN: {
    status: 400,
    en: 'Column "{column}" is {problem} in {file}. Columns: {columns}.',
    zh: '{file} 中的列“{column}”不存在或重复。现有列:{columns}。',
  },
  FIRE_BACKTEST_TIME: {
    status: 400,
    en: 'No time could be read in column {column}, the first cell is "{cell}". Give {forms}.',
    zh: '列 {column} 中没有可识别的时间,首个单元格为“{cell}”。可用格式:{forms}。',
  },
  FIRE_BACKTEST_METRICS: {
    status: 400,
    en: 'Rule {rule} reads {wanted}; {place} there is only {found}. {mend}',
    zh: '规则 {rule} 需要{wanted},而{place}只有{found}。{mend}',
  },
  FIRE_BACKTEST_EMPTY: {
    status: 400,
    en: 'Nothing is left to judge: {rows} rows, of which {warmUp} are wanted for learning. Take a longer time, or fewer rows to learn from.',
    zh: '没有可判定的数据:共 {rows} 行,学习需要 {warmUp} 行。请加长时间范围,或减少学习行数。',
  },
  FIRE_BACKTEST_STOPPED: {
    status: 400,
    en: 'The backtest was stopped: nobody waits for it any more.',
    zh: '回测已停止:不再有人等待结果。',
  },
  FIRE_CONFIG_INVALID: { status: 500, en: 'Configuration is not valid:\n{problems}', zh: '配置无效:\n{problems}' },
} as const satisfies Record<string, { status: number; en: string; zh: string }>;

export type ErrorCode = keyof typeof ERRORS;
export type Language = 'zh' | 'en';

export function errorSentence(code: ErrorCode, params: Record<string, unknown>, language: Language): string {
  return ERRORS[code][language].replace(/\{(\w+)\}/g, (_, name: string) => String(params[name] ?? ''));
}

/** The one error class; `code` is what programs and tests look at, `message` is the English sentence for logs. */
export class FireError extends Error {
  readonly code: ErrorCode;
  readonly params: Record<string, unknown>;

  constructor(code: ErrorCode, params: Record<string, unknown> = {}, cause?: unknown) {
    super(errorSentence(code, params, 'en'), cause === undefined ? undefined : { cause });
    this.name = 'FireError';
    this.code = code;
    this.params = params;
  }
}
