/**
 * What can call a teacher to a group. The names are those of the scenarios that measure them: `offreal`, talk off the
 * task about the classroom; `social`, chat about life; `confusion`; `dominance`, one member has taken the floor;
 * `stall`, the talk has dried up.
 */
export const signals = ['offreal', 'social', 'confusion', 'dominance', 'stall'] as const
export type Signal = typeof signals[number]

/** Statistics behind them: the two kinds of off-task talk share one. */
export const channels = ['topic', 'confusion', 'floor', 'pace'] as const
export type Channel = typeof channels[number]
