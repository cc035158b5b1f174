/** The call itself: typed with the simulated prospect, or spoken with the voice agent. */
import type { CallDetails, CompletedCall, StartedCall, TurnReply } from "../../dialdrill/calls/Wire.js"
import { ask } from "./api.js"
import { degrade, healed, toast } from "./banners.js"
import { el, show } from "./dom.js"
import * as Voice from "./voice.js"

type Details = typeof CallDetails.Encoded
type Started = typeof StartedCall.Encoded

export interface CallStage {
  readonly node: HTMLElement
  readonly leave: () => void
}

interface Context {
  readonly call: Details
  /** Only the tab that started a voice call has its signed URL. */
  readonly signedUrl: string | null
  readonly onCompleted: () => void
}

const clock = (startedAt: string): { readonly node: HTMLElement; readonly stop: () => void } => {
  const node = el("span", { class: "clock" })
  const draw = () => {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(startedAt)) / 1000))
    node.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`
  }
  draw()
  const timer = setInterval(draw, 1000)
  return { node, stop: () => clearInterval(timer) }
}

const talk = () => {
  const node = el("div", { class: "talk", role: "log", "aria-label": "Conversation", tabindex: 0 })
  const add = (role: "user" | "agent", text: string) => {
    node.append(el("p", { class: role }, el("b", {}, role === "user" ? "You" : "Prospect"), text))
    node.scrollTop = node.scrollHeight
  }
  return { node, add }
}

export const callStage = (context: Context): CallStage => {
  const { call } = context
  const log = talk()
  const time = clock(call.startedAt)
  const controls = el("div", {})
  const finish = el("button", { type: "button", class: "quiet" }, "Finish and score")
  const node = el(
    "div",
    {},
    el("div", { class: "row" }, el("h1", { class: "grow" }, "On the call"), time.node, finish),
    log.node,
    controls
  )
  let spoken: Array<{ role: "user" | "agent"; text: string; startSeconds: number }> | undefined
  let line: Voice.Line | undefined

  for (const turn of call.transcript) log.add(turn.role, turn.text)
  degrade("call", call.degraded)

  const complete = async () => {
    finish.disabled = true
    line?.close()
    const body = spoken && spoken.length > 0 ? { transcript: spoken } : {}
    const answer = await ask<typeof CompletedCall.Encoded>(`/api/calls/${call.id}/complete`, { body })
    if (answer.ok) return context.onCompleted()
    finish.disabled = false
    toast(answer.problem.detail)
  }
  finish.addEventListener("click", () => void complete())

  const typed = () => {
    const input = el("textarea", {
      rows: 2,
      maxlength: 4000,
      "aria-label": "What you say",
      placeholder: "Say something…"
    })
    const send = el("button", { type: "submit" }, "Say it")
    const form = el("form", { class: "say" }, input, send)
    const say = async () => {
      const text = input.value.trim()
      if (text === "" || send.disabled) return
      send.disabled = true
      log.add("user", text)
      input.value = ""
      const answer = await ask<typeof TurnReply.Encoded>(`/api/calls/${call.id}/turns`, { body: { text } })
      send.disabled = false
      if (!answer.ok) {
        log.node.lastElementChild?.remove()
        input.value = text
        return toast(answer.problem.detail)
      }
      log.add("agent", answer.value.reply)
      if (answer.value.ended) {
        input.disabled = true
        send.disabled = true
        show(controls, el("p", { class: "muted" }, "The prospect has left the call."), finish)
        finish.focus()
      } else input.focus()
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      void say()
    })
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault()
        void say()
      }
    })
    show(controls, form)
    input.focus()
  }

  const simulate = async () => {
    line?.close()
    const answer = await ask<Started>(`/api/calls/${call.id}/simulate`, { method: "POST" })
    if (!answer.ok) return toast(answer.problem.detail)
    degrade("call", answer.value.degraded)
    if (answer.value.opening !== null) log.add("agent", answer.value.opening)
    typed()
  }

  const voice = () => {
    const note = el("p", { class: "muted", role: "status" })
    const goOn = el(
      "button",
      { type: "button", class: "quiet", on: { click: () => void simulate() } },
      "Go on in simulated mode"
    )
    const open = el("button", { type: "button" }, "Start speaking")
    open.addEventListener("click", () => {
      const { signedUrl } = context
      if (signedUrl === null) return
      open.disabled = true
      note.textContent = "Connecting…"
      const begun = performance.now()
      spoken = []
      line = Voice.open(signedUrl, {
        onOpen: () => (note.textContent = "Connected. Speak when you are ready."),
        onTurn: (role, text) => {
          spoken?.push({ role, text, startSeconds: Math.round((performance.now() - begun) / 100) / 10 })
          log.add(role, text)
        },
        onEnd: (reason) => {
          note.textContent = reason === "" ? "The line is closed." : `${reason} You can go on in simulated mode.`
        }
      })
    })
    if (context.signedUrl === null) note.textContent = "This voice call was started in another window."
    show(
      controls,
      el("p", {}, "This call is spoken: your browser will ask for the microphone."),
      el("div", { class: "row" }, context.signedUrl !== null && open, goOn),
      note
    )
  }

  if (call.mode === "voice") voice()
  else typed()
  return {
    node,
    leave: () => {
      line?.close()
      time.stop()
      healed("call")
    }
  }
}
