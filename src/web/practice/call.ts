/** The call itself: typed with the simulated prospect, or spoken with the voice agent. */
import type { CallDetails, CompletedCall, StartedCall, TurnReply } from "../../dialdrill/calls/Wire.js"
import type { Degraded } from "../../dialdrill/Wire.js"
import { ask, type Problem } from "./api.js"
import { degrade, healed, toast } from "./banners.js"
import { button, el, show } from "./dom.js"
import { face } from "./people.js"
import * as Voice from "./voice.js"
import { dropHealed } from "./watch.js"

type Details = typeof CallDetails.Encoded
type Started = typeof StartedCall.Encoded
type Said = Details["transcript"][number]

interface CallStage {
  readonly node: HTMLElement
  readonly refresh: () => void
  readonly leave: () => void
  readonly focus: () => void
}

interface Context {
  readonly call: Details
  readonly name: string
  /** Only the tab that started a voice call has its signed URL. */
  readonly signedUrl: string | null
  readonly onCompleted: () => void
}

const secondsSince = (moment: string): number => Math.max(0, (Date.now() - Date.parse(moment)) / 1000)

/** The time to wait was counted from the start of the call, which may be a while ago. */
const stillLacks = (call: Details): ReadonlyArray<Degraded> =>
  call.degraded.map((entry) => {
    const left = Math.ceil((entry.retryAfterSeconds ?? 0) - secondsSince(call.startedAt))
    return { ...entry, retryAfterSeconds: left > 0 ? left : null }
  })

const conversation = (name: string) => {
  const node = el("div", { class: "talk", role: "log", "aria-label": "Conversation", tabindex: 0 })
  return {
    node,
    add: (role: Said["role"], text: string): HTMLElement => {
      const line = el("p", { class: role }, el("b", {}, role === "user" ? "You" : name), text)
      node.append(line)
      node.scrollTop = node.scrollHeight
      return line
    },
    clear: () => show(node)
  }
}

export const callStage = ({ call, name, onCompleted, signedUrl }: Context): CallStage => {
  const log = conversation(name)
  const mode = el("span", { class: "badge" })
  const clock = el("span", { class: "clock", role: "timer", "aria-label": "Time on the call" })
  const controls = el("div", {})
  const finish = button("Finish and score", () => void complete())
  let line: Voice.Line | undefined
  let lineOpened = 0
  let spoken: Array<Said> = []
  let lacks = stillLacks(call)
  let lacksSince = Date.parse(call.startedAt)
  let focus = (): void => {}
  /** The server may have heard what it never answered. */
  let unsure = false
  let refresh = (): void => {}

  const tick = (): void => {
    const seconds = Math.floor(secondsSince(call.startedAt))
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`
    dropHealed("call", lacks, lacksSince)
  }

  const complete = async (): Promise<void> => {
    finish.disabled = true
    const durationSeconds = line && Math.round((performance.now() - lineOpened) / 1000)
    line?.close()
    const body = spoken.length > 0 ? { transcript: spoken, durationSeconds } : {}
    const answer = await ask<typeof CompletedCall.Encoded>(`/api/calls/${call.id}/complete`, { body })
    if (answer.ok) return onCompleted()
    finish.disabled = false
    toast(answer.problem.detail)
  }

  const over = (words: string): void => {
    finish.className = ""
    show(controls, el("div", { class: "over" }, el("p", { role: "status" }, words), finish))
    focus = () => finish.focus()
    focus()
  }

  const typed = (): void => {
    mode.textContent = "Simulated"
    const input = el("textarea", {
      rows: 2,
      maxlength: 4000,
      "aria-label": "What you say",
      placeholder: "Say something…"
    })
    const form = el("form", { class: "say" }, input, el("button", { type: "submit" }, "Say it"))

    const reread = async (): Promise<void> => {
      const answer = await ask<Details>(`/api/calls/${call.id}`)
      if (!answer.ok) return
      if (answer.value.status === "completed") return onCompleted()
      unsure = false
      const { transcript } = answer.value
      log.clear()
      for (const turn of transcript) log.add(turn.role, turn.text)
      if (transcript.findLast(({ role }) => role === "user")?.text === input.value.trim()) input.value = ""
    }
    const unheard = (problem: Problem, text: string): void => {
      if (problem.code === "call-ended") return over(`${name} has left the call.`)
      if (problem.code === "call-completed") return onCompleted()
      unsure = problem.status === 0
      // What was typed meanwhile stays too.
      input.value = `${text} ${input.value}`.trim()
      input.focus()
      toast(unsure ? `${problem.detail} What you said is kept; say it again when it is back.` : problem.detail)
    }
    const say = async (): Promise<void> => {
      if (unsure) await reread()
      const text = input.value.trim()
      if (text === "" || !form.isConnected) return
      const mine = log.add("user", text)
      input.value = ""
      const thinking = log.add("agent", "…")
      const answer = await ask<typeof TurnReply.Encoded>(`/api/calls/${call.id}/turns`, { body: { text } })
      thinking.remove()
      if (!answer.ok) {
        mine.remove()
        return unheard(answer.problem, text)
      }
      log.add("agent", answer.value.reply)
      if (answer.value.ended) over(`${name} has left the call.`)
    }
    // One after the other: what is said while an answer is on its way waits for its turn.
    let turn = Promise.resolve()
    const inTurn = (work: () => Promise<void>): void => {
      turn = turn.then(work)
    }
    refresh = () => inTurn(async () => void (unsure && (await reread())))
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      inTurn(say)
    })
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault()
        inTurn(say)
      }
    })
    show(controls, form)
    focus = () => input.focus()
  }

  const simulate = async (): Promise<void> => {
    line?.close()
    const answer = await ask<Started>(`/api/calls/${call.id}/simulate`, { method: "POST" })
    if (!answer.ok) return toast(answer.problem.detail)
    // The prospect picks up anew: what was spoken is no part of this conversation.
    line = undefined
    spoken = []
    log.clear()
    lacks = answer.value.degraded
    lacksSince = Date.now()
    degrade("call", lacks, "")
    if (answer.value.opening !== null) log.add("agent", answer.value.opening)
    typed()
    focus()
  }

  const voice = (): void => {
    mode.textContent = "Voice"
    const note = el("p", { class: "muted", role: "status" })
    const goOn = button("Go on in simulated mode", () => void simulate())
    const open = button("Start speaking", () => void speak(), false)
    const speak = (): void => {
      if (signedUrl === null) return
      open.disabled = true
      note.textContent = "Connecting…"
      lineOpened = performance.now()
      line = Voice.open(signedUrl, {
        onOpen: () => (note.textContent = "Connected. Speak when you are ready."),
        onTurn: (role, text) => {
          spoken.push({ role, text, startSeconds: Math.round((performance.now() - lineOpened) / 100) / 10 })
          log.add(role, text)
        },
        onEnd: (reason) => {
          if (reason === "") return over("The conversation is over.")
          note.textContent = `${reason} You can go on in simulated mode.`
          goOn.className = ""
          goOn.focus()
        }
      })
    }
    if (signedUrl === null) note.textContent = "The line of this call was open in another window."
    show(
      controls,
      el("p", {}, "This call is spoken: your browser asks for the microphone when you start."),
      el("div", { class: "row" }, signedUrl !== null && open, goOn),
      note
    )
    focus = () => (signedUrl === null ? goOn : open).focus()
  }

  for (const turn of call.transcript) log.add(turn.role, turn.text)
  degrade("call", lacks, "")
  if (call.mode === "voice") voice()
  else typed()
  tick()
  const timer = setInterval(tick, 1000)
  return {
    node: el(
      "div",
      {},
      el("div", { class: "row" }, face(name), el("h1", { class: "grow" }, name), mode, clock, finish),
      log.node,
      controls
    ),
    focus: () => {
      log.node.scrollTop = log.node.scrollHeight
      focus()
    },
    refresh: () => refresh(),
    leave: () => {
      line?.close()
      clearInterval(timer)
      healed("call")
    }
  }
}
