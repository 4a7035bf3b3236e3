export { type Alerting, type AlertingDeps, createAlerting } from './alerting.ts';
export { type BacktestDeps, backtest, backtestCommand } from './backtest/command.ts';
export { backtestHistory, type HistoryBacktest, type HistoryBacktestOptions } from './backtest/history.ts';
export { type LabelFigures, median, poolFigures, ratios } from './backtest/label-figures.ts';
export type { BacktestOutcome } from './backtest/run.ts';
export { type ExportQuery, exportAlarms } from './export.ts';
export { createRuleBook, type RuleBookDeps } from './rulebook/rulebook.ts';
export type { Effect } from './rules/effect.ts';
export { Engine, type EngineDeps } from './rules/engine.ts';
