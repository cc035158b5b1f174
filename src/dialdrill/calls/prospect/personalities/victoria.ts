/**
 * Victoria Chen: short sentences, no small talk, decides fast. She gives time by the minute and only to those who use it.
 *
 * @since 0.1.0
 */
import type { Personality } from "../Personality.js"

/**
 * The busy chief operating officer.
 *
 * @since 0.1.0
 * @category personalities
 */
export const victoria: Personality = {
  id: "victoria",
  name: "Victoria Chen",
  title: "Chief Operating Officer",
  company: "Halden Freight",
  description:
    "Busy, blunt, always between two meetings. Be brief, ask what matters, speak in outcomes. Long speeches end the call.",
  difficulty: "hard",
  temperament: {
    start: { patience: 55, trust: 32, interest: 28 },
    warmth: 1,
    harshness: 1.2,
    drain: 2,
    monologue: { annoys: 60, ends: 110 },
    guard: 0.75,
    appetite: 4
  },
  bar: { facts: 3, value: 4, settled: 2, trust: 50, interest: 55 },
  tools: ["Cargolog", "SAP"],
  pain: ["invoic", "bill", "cash", "paper", "delivery", "proof", "dispute", "late", "day", "driver", "note", "paid"],
  facts: {
    team: {
      trust: 0,
      told: ["Three hundred and ten people, ninety trucks, four depots.", "Twelve of those do nothing but invoices."],
      brief: ["Close enough."]
    },
    tool: {
      trust: 20,
      told: [
        "Cargolog for dispatch, SAP for the books, paper in between.",
        "Drivers hand in delivery notes by the box, and a clerk types them in on Monday."
      ],
      brief: ["It's covered."]
    },
    pain: {
      trust: 28,
      told: [
        "Invoices. The truck is back in a day and the bill goes out nine days later.",
        "One in eight gets disputed because a delivery note is missing or can't be read."
      ],
      brief: ["Nothing I lose sleep over."]
    },
    impact: {
      trust: 34,
      told: [
        "Nine days of revenue on the street, that's about four million in cash.",
        "We pay the bank for every one of those days."
      ],
      brief: ["Enough."]
    },
    goal: {
      trust: 30,
      told: [
        "Invoice on the day of delivery, no exceptions.",
        "I want disputes under two percent by the end of the year."
      ],
      brief: ["That would be the idea."]
    },
    budget: {
      trust: 42,
      told: ["Up to fifty thousand I sign alone.", "Beyond fifty the board wants a paper, and nobody wants that."],
      brief: ["Money is not the bottleneck."]
    },
    decision: {
      trust: 36,
      told: [
        "Me and Marcus, our CFO, and it takes us one conversation.",
        "Marcus looks at cash, I look at whether the depots will do it."
      ],
      brief: ["I decide, mostly."]
    },
    timing: {
      trust: 32,
      told: [
        "The new depot opens at the end of the quarter, it has to run properly from the first day.",
        "If it isn't in by then, it's next year."
      ],
      brief: ["Depends on what."]
    }
  },
  objections: [
    {
      id: "in-a-meeting",
      theme: "time",
      concern: "my time",
      fits: ["opening"],
      raise: ["I'm walking into a meeting."],
      explain: ["Board prep. I have until the elevator arrives."],
      insist: ["I told you I have no time."],
      settle: ["All right. Thirty seconds."]
    },
    {
      id: "whats-the-point",
      theme: "need",
      concern: "what is in it for me",
      fits: ["opening", "pitch"],
      raise: ["Get to the point, why should I care?"],
      explain: ["Forty vendors a month call me, and I call back one."],
      insist: ["Still no reason to care."],
      settle: ["That's a reason, go on."]
    },
    {
      id: "talk-to-my-team",
      theme: "authority",
      concern: "why it has to be me",
      fits: ["opening", "nextStep"],
      raise: ["This is for my depot managers, not for me."],
      explain: ["They run the yards, I only see them when something breaks."],
      insist: ["You keep talking to the wrong person."],
      settle: ["Fair, it crosses all four depots, so it is mine."]
    },
    {
      id: "happy-with-cargolog",
      theme: "incumbent",
      concern: "Cargolog",
      fits: ["competitor", "pitch", "lull"],
      raise: ["Comparing with {competitor} won't get you far, ours works.", "We've got Cargolog, it runs."],
      explain: ["It runs dispatch. Everything after the truck is another story."],
      insist: ["You'd have to tell me what's missing in what I have."],
      settle: ["Right, it picks up where Cargolog stops."]
    },
    {
      id: "cost",
      theme: "price",
      concern: "the return",
      fits: ["price", "nextStep"],
      raise: ["{number}. For what result?", "Don't give me a price, give me a payback."],
      explain: ["Under six months or Marcus won't read it."],
      insist: ["I heard a cost, I didn't hear a payback."],
      settle: ["That pays back, so it stays on the table."]
    },
    {
      id: "no-projects",
      theme: "effort",
      concern: "starting yet another project",
      fits: ["pitch", "lull", "nextStep"],
      raise: ["I have eleven projects running, I'm not starting a twelfth."],
      explain: ["Two of the eleven are late, and they were 'simple' as well."],
      insist: ["It's a project, whatever you call it."],
      settle: ["If your people carry it, it isn't my twelfth."]
    },
    {
      id: "drivers",
      theme: "effort",
      concern: "the drivers",
      fits: ["pitch", "questions", "lull"],
      raise: ["Ninety drivers, most over fifty, they won't tap on screens."],
      explain: ["The union had opinions about the last device we gave them."],
      insist: ["And the drivers?"],
      settle: ["A photo, one tap, they'd do that."]
    },
    {
      id: "prove-it",
      theme: "trust",
      concern: "proof",
      fits: ["pitch", "lull", "competitor"],
      raise: ["Who in freight uses it?"],
      explain: ["I want a name I can ring, not a logo."],
      insist: ["No proof so far."],
      settle: ["I'll ring them."]
    },
    {
      id: "not-this-quarter",
      theme: "need",
      concern: "why this quarter",
      fits: ["nextStep", "lull", "questions"],
      raise: ["Not this quarter."],
      explain: ["The depot opening eats everything until then."],
      insist: ["I don't hear why it can't wait."],
      settle: ["True, opening a depot on paper would be stupid."]
    },
    {
      id: "risk",
      theme: "security",
      concern: "what happens when it is down",
      fits: ["questions", "nextStep", "pitch"],
      raise: ["If it goes down at five in the morning, my trucks stand, so what then?"],
      explain: ["It happened once with another vendor, eleven hours, I can still name the customers."],
      insist: ["What about downtime?"],
      settle: ["So the trucks roll either way, good."]
    },
    {
      id: "heard-it-all",
      theme: "trust",
      concern: "why you'd be any different",
      fits: ["competitor", "pitch", "opening"],
      raise: ["Every vendor tells me that."],
      explain: ["The last one said two weeks, and it took until Christmas."],
      insist: ["You sound like the other ones."],
      settle: ["You put something at stake, the others didn't."]
    },
    {
      id: "send-one-page",
      theme: "email",
      concern: "one page in writing",
      fits: ["nextStep", "opening"],
      raise: ["Email me. One page."],
      explain: ["Result, price, a reference, nothing else."],
      insist: ["One page, I said."],
      settle: ["All right, talking is faster than reading."]
    }
  ],
  curiosities: [
    { ask: "How fast to the first depot?", heard: "Fast enough." },
    { ask: "What's the catch?", heard: "An honest answer." },
    { ask: "Who else in logistics?", heard: "I know the people there." },
    { ask: "What do you need from me?", heard: "I can do that." },
    { ask: "What's the first number that moves?", heard: "That's the number I'd look at, too." },
    { ask: "Does it feed SAP?", heard: "Then Marcus won't block it." }
  ],
  lines: {
    greeting: ["Chen.", "Victoria Chen, yes?", "Halden Freight, Chen here, be quick.", "Yes, this is Victoria."],
    welcome: [
      "{caller}. Okay. What is it?",
      "{from}? Never heard of it, what do you do?",
      "What's this regarding?",
      "Yes, and you are?"
    ],
    granted: [
      "You have one minute, {caller}.",
      "It's always bad, so talk.",
      "Sixty seconds, starting now.",
      "Thanks for asking, keep it short."
    ],
    grudging: ["You're in it already.", "Ten seconds."],
    smallTalk: ["I'm well. What do you need?", "Busy, next question.", "I don't do small talk, no offence."],
    guarded: [
      "Not discussing {topic} with you yet.",
      "That's none of your business so far.",
      "Why do you ask about {topic}?",
      "You get that answer when I know what it's for."
    ],
    again: [
      "Said that.",
      "We've covered {topic}.",
      "Write it down, I won't say it three times.",
      "Same answer as before."
    ],
    deflect: [
      "Don't know.",
      "Ask my office.",
      "That's too detailed for me.",
      "Not sure that matters.",
      "Depends. What's behind the question?"
    ],
    manyQuestions: ["One question.", "Too many, I'll take the last.", "Is this a survey?"],
    interrogated: [
      "Enough questions, what's the offer?",
      "What do I get for all these answers?",
      "Now you talk. Briefly."
    ],
    unasked: ["You're pitching blind.", "You know nothing about us, do you?", "Ask me something or let me go."],
    fairPrice: [
      "{number} against four million in cash, I can do that sum.",
      "For {number} I don't even ask Marcus.",
      "Price is okay.",
      "Cheaper than the bank, then."
    ],
    competitor: ["{competitor}. Know them.", "{competitor} called last week, too.", "What about {competitor}?"],
    tied: [
      "That's the one I care about.",
      "Now I'm listening.",
      "Nine days to one, is that realistic?",
      "That would be real money."
    ],
    pitched: [
      "Drop the '{buzzword}', what does it do?",
      "Meaning what, in days or dollars?",
      "Nice. So?",
      "Every tool says that about itself.",
      "Outcome, please."
    ],
    yourTurn: [
      "You have my reason. Your answer?",
      "I explained it once, what do you do about it?",
      "Solve it or skip it."
    ],
    goOn: ["And?", "Good that you understand. What now?", "Sympathy noted."],
    halfway: ["Better.", "Almost.", "Okay, maybe.", "Closer. Not there."],
    dropped: [
      "You skipped {concern}, I noticed.",
      "Nothing on {concern}, that is an answer as well.",
      "So no word about {concern}."
    ],
    reopen: [
      "No meeting before we've settled {concern}.",
      "You owe me an answer on {concern}.",
      "First {concern}, then calendars."
    ],
    dodged: ["Answer the question.", "I asked you something.", "That's not what I asked."],
    interrupt: ["Stop. Short version.", "Too long, {caller}, one sentence.", "I'm losing you, what's the ask?"],
    repeat: ["You said that.", "Heard it the first time."],
    rude: ["Watch it.", "Try that again, politely."],
    silence: ["Hello?", "Anyone there?", "Speak."],
    foreign: ["English.", "I don't understand you, English please."],
    thanks: ["Sure.", "Fine.", "Thank me later."],
    askDay: ["Okay, when?", "Give me a day and an hour.", "Day?"],
    agree: [
      "{when}. Twenty minutes. Marcus will join.",
      "Done, {when}, send it to my office and put the {promise} in.",
      "{when} it is, {caller}, don't be late.",
      "You've got {when}, good call."
    ],
    refuseDiscovery: [
      "A meeting? You don't know my problem.",
      "No, you haven't asked enough to deserve one.",
      "Find out first whether I need it."
    ],
    refuseValue: [
      "What for? I see no result yet.",
      "Not worth a slot so far.",
      "Tell me what moves, then we'll talk about calendars."
    ],
    refuseTrust: ["I'm not sold on you.", "Not yet, earn it.", "Something's missing, and it's confidence."],
    warm: [
      "Right.",
      "I like that.",
      "Makes sense.",
      "Keep going, {caller}.",
      "That's useful.",
      "You know freight, I give you that.",
      "Agreed."
    ],
    cool: [
      "And so?",
      "Go on.",
      "I'm in the corridor, keep moving.",
      "Not following.",
      "Relevance?",
      "Hm.",
      "You have my ear for a bit longer."
    ],
    leavesMonologue: ["Too long. I'm out.", "I stopped listening, my meeting has begun, bye."],
    leavesRepetition: ["You're looping. Goodbye.", "Third time I hear this, we're done."],
    leavesRude: ["We're finished.", "Nobody speaks to me like that."],
    leavesImpatient: ["I'm out of time, and you're out of luck.", "This went nowhere, goodbye."],
    leavesPushed: ["I said no, that was the last time.", "Stop pushing, I'm hanging up."],
    leavesVague: ["No date, no deal.", "Then it's not happening, bye now."],
    leavesSilence: ["Nothing, I'm hanging up.", "Dead line."],
    leavesTime: ["Elevator's here, I'm gone.", "Meeting. That's it."],
    leavesKindly: ["Good talk, {caller}.", "Thanks, that was efficient."],
    leavesCoolly: ["Bye.", "Okay, bye-bye."]
  }
}
