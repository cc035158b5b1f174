/**
 * When a hedged call begins another attempt, goes on waiting, or has its answer, as plain data. Two rules carry it:
 *
 * - A hedge never makes the outcome worse: as long as an attempt is on its way that may still succeed, the call waits.
 * - Only what may pass is tried again: after a defect or an own interruption no further attempt begins.
 *
 * @since 0.1.0
 */

/** What stays to be done. */
export interface State {
  /** How many hedges may still begin. */
  readonly left: number
  /** How many attempts are on their way. */
  readonly running: number
}

/**
 * - `overdue`: the newest attempt has had its delay and has not ended.
 * - `refused`: the hedge that was just decided on may not begin, because the budget is used up.
 * - `success`: an attempt succeeded.
 * - `failure`: an attempt failed, and another one may do better.
 * - `pushback`: an attempt failed, and the dependency asks to be left alone, or a policy turned the attempt away.
 * - `fatal`: an attempt failed, and every other one would too.
 * - `broken`: an attempt died or interrupted itself.
 */
export type Event = "overdue" | "refused" | "success" | "failure" | "pushback" | "fatal" | "broken"

/** `hedge`: begin another attempt now, and wait for it as long as for the one before. */
export type Decision = "hedge" | "wait" | "answer"

/** The first attempt is on its way. */
export const initial = (maxHedges: number): State => ({ left: maxHedges, running: 1 })

/** Takes in what happened. */
export const step = (state: State, event: Event): [Decision, State] => {
  switch (event) {
    case "success":
    case "fatal":
      return ["answer", state]
    case "overdue":
      return hedgeOrWait(state)
    case "failure":
      return hedgeOrWait({ ...state, running: state.running - 1 })
    case "refused":
      return wait({ ...state, running: state.running - 1 })
    case "pushback":
    case "broken":
      return wait({ left: 0, running: state.running - 1 })
  }
}

const hedgeOrWait = (state: State): [Decision, State] =>
  state.left > 0 ? ["hedge", { left: state.left - 1, running: state.running + 1 }] : wait(state)

const wait = (state: State): [Decision, State] => [state.running > 0 ? "wait" : "answer", state]
