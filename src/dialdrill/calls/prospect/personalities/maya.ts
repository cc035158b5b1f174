/**
 * Maya Torres: warm, talkative, a little scattered. She likes people and dislikes being sold to; whoever asks about her
 * day hears about it.
 *
 * @since 0.1.0
 */
import type { Personality } from "../Personality.js"

/**
 * The friendly operations manager: the call to begin with.
 *
 * @since 0.1.0
 * @category personalities
 */
export const maya: Personality = {
  id: "maya",
  name: "Maya Torres",
  title: "Operations Manager",
  company: "Brightleaf Home Care",
  description:
    "Friendly and open, runs the daily schedule of a home care agency. Ask, listen, and she will tell you a lot. Sell too early and she becomes polite and vague.",
  difficulty: "easy",
  temperament: {
    start: { patience: 80, trust: 45, interest: 35 },
    warmth: 1.2,
    harshness: 0.8,
    drain: 1,
    monologue: { annoys: 120, ends: 190 },
    guard: 0.2,
    appetite: 3
  },
  bar: { facts: 3, value: 2, settled: 1, trust: 50, interest: 50 },
  tools: ["CareGrid", "WhatsApp", "Excel"],
  pain: [
    "schedul",
    "visit",
    "double",
    "book",
    "shift",
    "handover",
    "spreadsheet",
    "chat",
    "nurse",
    "carer",
    "rota",
    "swap"
  ],
  facts: {
    team: {
      trust: 0,
      told: [
        "There are six of us in the office, and about eighty carers out on the road.",
        "Of those eighty, maybe half are part-time, which is where it gets colourful."
      ],
      brief: ["Something like that, yes, give or take a few."]
    },
    tool: {
      trust: 20,
      told: [
        "Honestly? A giant spreadsheet, two group chats, and me.",
        "We did have CareGrid for a while, but only the office ever used it, so we drifted back to the spreadsheet."
      ],
      brief: ["We have a way of doing it, it's just not very pretty."]
    },
    pain: {
      trust: 30,
      told: [
        "Oh, the swaps. Somebody calls in sick at six in the morning, two people cover it, and a third client gets nobody.",
        "The part I lie awake over is a double-booked visit, because at the other end there's a person waiting for their medication."
      ],
      brief: ["Sometimes, sure, who doesn't?"]
    },
    impact: {
      trust: 40,
      told: [
        "I counted once: eleven hours a week on the phone, just repairing the schedule.",
        "We lost two clients over missed visits in spring, and each of those is around two thousand a month."
      ],
      brief: ["It adds up, I suppose."]
    },
    goal: {
      trust: 35,
      told: [
        "If I could dream a little, a carer would swap a shift on her phone and I'd only hear about it when something's wrong.",
        "And I'd like to take one whole week off without my laptop, that would be my measure."
      ],
      brief: ["Ideally, yes, that would be lovely."]
    },
    budget: {
      trust: 50,
      told: [
        "I can sign for about six hundred a month on my own, above that it gets complicated.",
        "There's some money left from a hire we didn't make, if that helps you."
      ],
      brief: ["There's a little room, I won't say there isn't."]
    },
    decision: {
      trust: 45,
      told: [
        "It's me for the day-to-day, and Priya, our director, has the last word on anything with a contract.",
        "Priya listens to me, but she wants to see it with her own eyes first."
      ],
      brief: ["Not quite on my own, no."]
    },
    timing: {
      trust: 35,
      told: [
        "Before the summer holidays would be the moment, that's when half the carers are away and everything falls over.",
        "Give me a month to get used to a thing before the busy season, not less."
      ],
      brief: ["There's no fixed date, if that's the question."]
    }
  },
  objections: [
    {
      id: "bad-moment",
      theme: "time",
      concern: "whether I have time for this at all",
      fits: ["opening"],
      raise: ["Oh, you've caught me right in the middle of the sick calls, I'm not sure I can do this now."],
      explain: ["It's just that the phone starts at six and doesn't stop before ten, so my head is elsewhere."],
      insist: ["I did say it's a bad moment, didn't I?"],
      settle: ["All right, that's considerate, a few minutes I can manage."]
    },
    {
      id: "who-are-you",
      theme: "trust",
      concern: "who you people actually are",
      fits: ["opening", "pitch"],
      raise: ["I don't think I've heard of you, to be honest, and I get a lot of these calls."],
      explain: ["Last month somebody promised me the moon and then I couldn't reach a human being for weeks."],
      insist: ["You still haven't told me why I should trust a company I've never heard of."],
      settle: ["Okay, good, then at least I know who I'm dealing with."]
    },
    {
      id: "too-expensive",
      theme: "price",
      concern: "the price",
      fits: ["price", "nextStep"],
      raise: [
        "{number}? Oh dear, that sounds like a lot for an agency of our size.",
        "I have to stop you at the money, we're a care agency, every cent is counted twice."
      ],
      explain: [
        "Anything new has to come out of the wages budget, and I'd have to defend that in front of people I work with."
      ],
      insist: ["You're going round the money, and I still don't know whether we can afford it."],
      settle: ["Put like that, the money isn't as frightening as I thought."]
    },
    {
      id: "carers-wont-use-it",
      theme: "effort",
      concern: "whether the carers would use it",
      fits: ["pitch", "lull", "questions"],
      raise: ["My worry is the carers, half of them hardly answer a text message, they won't learn an app."],
      explain: [
        "With CareGrid they got a forty-page manual and two hours of training, and by Friday everyone was back in the chat."
      ],
      insist: ["But it's no use to me if the carers won't touch it, you see?"],
      settle: ["If it's really that simple on their phones, they might just go along with it."]
    },
    {
      id: "spreadsheet-works",
      theme: "incumbent",
      concern: "leaving the spreadsheet",
      fits: ["pitch", "lull", "competitor"],
      raise: ["I mean, the spreadsheet does work, in its own ugly way."],
      explain: [
        "I built it myself over four years, I know every cell, and I can fix it at midnight without asking anyone."
      ],
      insist: ["I still don't see why I'd give up a spreadsheet that costs me nothing."],
      settle: ["True, costs me nothing isn't quite right, it costs me my evenings."]
    },
    {
      id: "we-tried-that",
      theme: "trust",
      concern: "that we tried this once and it failed",
      fits: ["competitor", "pitch"],
      raise: [
        "You know, {competitor} came up here before, and I'm a bit wary since our last try.",
        "We tried a system like this once and it ended in tears, literally."
      ],
      explain: ["What went wrong was that nobody helped us in the first weeks, they sold it and vanished."],
      insist: ["It's the same story I heard the last time, forgive me."],
      settle: ["That's already more help than we had the first time round."]
    },
    {
      id: "no-time-to-switch",
      theme: "effort",
      concern: "the work of changing over",
      fits: ["lull", "nextStep", "questions"],
      raise: ["When would I even set this up, between the sick calls and the payroll?"],
      explain: [
        "Somebody would have to enter eighty people and four hundred clients, and I know exactly who that somebody is."
      ],
      insist: ["The changing over still lands on my desk, whichever way I look at it."],
      settle: ["If you do the moving of the data, that takes a stone off my heart."]
    },
    {
      id: "ask-priya",
      theme: "authority",
      concern: "what Priya would say",
      fits: ["nextStep", "lull"],
      raise: ["I'd have to run this past Priya first, she doesn't like surprises."],
      explain: ["She'd ask me what it costs, what we'd stop paying for, and who looks after it when I'm away."],
      insist: ["I can't go around my director, you understand that."],
      settle: ["Good, if Priya can look at it together with me, I'm not out on a limb."]
    },
    {
      id: "send-email",
      theme: "email",
      concern: "sending me something to read first",
      fits: ["nextStep", "opening"],
      raise: ["Couldn't you just send me an email and I'll have a look when it's quiet?"],
      explain: ["I know, I have four hundred unread ones, I'd only want something short that I can show around."],
      insist: ["An email would really be easier for me."],
      settle: ["You're right, I'd never read it, let's do it your way."]
    },
    {
      id: "client-data",
      theme: "security",
      concern: "our clients' medical details",
      fits: ["pitch", "questions", "nextStep"],
      raise: ["There's medical information in our visit notes, so I get nervous when someone says cloud."],
      explain: [
        "Our inspector asks every year who can see what, and I want to be able to answer her without blushing."
      ],
      insist: ["The medical notes are still the thing I'd need to be sure about."],
      settle: ["Good, that I can repeat to the inspector word for word."]
    },
    {
      id: "not-urgent",
      theme: "need",
      concern: "why it should be now",
      fits: ["lull", "nextStep", "pitch"],
      raise: ["It isn't really burning right now, we've muddled through for years."],
      explain: ["I suppose I always tell myself it gets better after the winter, and then it's summer."],
      insist: ["I don't quite feel the hurry yet, if I'm honest with you."],
      settle: ["Yes, when you say it out loud, muddling through is not a plan."]
    },
    {
      id: "like-the-chat",
      theme: "incumbent",
      concern: "what happens to our group chat",
      fits: ["competitor", "questions", "pitch"],
      raise: ["People love the group chat, there are birthday cakes in it, I wouldn't want to take that away."],
      explain: ["It's how they feel like a team, they hardly see one another on the road."],
      insist: ["I wouldn't sacrifice the chat for a piece of software."],
      settle: ["Oh good, so the birthday cakes stay."]
    }
  ],
  curiosities: [
    { ask: "How long does it take until everybody is on it?", heard: "That's quicker than I feared." },
    { ask: "Do you work with other care agencies?", heard: "It helps to know that we wouldn't be your guinea pig." },
    {
      ask: "What happens when a carer has no signal?",
      heard: "Good, because out in the villages that is every second visit."
    },
    { ask: "Would I have somebody to call when it goes wrong?", heard: "A real person, then, that matters to me." },
    {
      ask: "Could we begin with just one district?",
      heard: "Starting small sounds like something I could sell to the team."
    },
    { ask: "Can families see the schedule too?", heard: "They'd stop ringing me on Sundays, imagine that." }
  ],
  lines: {
    greeting: [
      "Brightleaf Home Care, this is Maya!",
      "Hello, Maya speaking, Brightleaf.",
      "Good morning, Brightleaf, you've got Maya here.",
      "Brightleaf Home Care, Maya Torres, how can I help?"
    ],
    welcome: [
      "Hi {caller}, nice to meet you, what can I do for you?",
      "Hello {caller} from {from}, what's this about?",
      "Hi there, what is it about?",
      "Oh, hello, and what brings you to me?"
    ],
    granted: [
      "No, it's fine {caller}, I have a few minutes before the lunch shift, so tell me.",
      "You're kind to ask, go ahead, I've just sat down with my coffee.",
      "It's as good a time as any, what's on your mind?",
      "Sure, I can spare a moment."
    ],
    grudging: ["If it's quick, I really have to get back to the phones.", "A minute then, but only one."],
    smallTalk: [
      "Oh, you know, one of those days, but the sun is out, and how are you?",
      "I'm well, thank you, three sick calls and it's not even noon.",
      "Can't complain, and nobody would listen if I did!"
    ],
    guarded: [
      "Hm, I'd rather not get into {topic} with someone I've only just met.",
      "Let's get to know one another before we talk about {topic}.",
      "I don't feel quite comfortable with that one yet.",
      "Why do you need to know about {topic}, if I may ask?"
    ],
    again: [
      "I think I told you that already, about {topic}.",
      "There's not much more to say on that, really.",
      "As I said a minute ago, it is what it is.",
      "I've told you all I know about {topic}."
    ],
    deflect: [
      "Good question, I'd have to think about that.",
      "Hm, I don't know, nobody has ever asked me.",
      "I couldn't tell you off the top of my head.",
      "That depends on the week, really.",
      "Let me answer that when I've understood a bit more of yours."
    ],
    manyQuestions: [
      "Slow down, that's a lot of questions at once!",
      "Let me take the last one, I've already forgotten the others.",
      "One after the other, please, I'm not that fast today."
    ],
    interrogated: [
      "You're very curious, but what is it that you do?",
      "I feel a bit like at the doctor's, so what's in it for us?",
      "Now it's your turn to tell me something."
    ],
    unasked: [
      "That's all very nice, but you don't know anything about us yet.",
      "I'm sure it's good, I'm just not sure it's for us, you haven't asked.",
      "You sound like the brochure now, may I say that?"
    ],
    fairPrice: [
      "{number}, okay, against eleven hours a week that isn't crazy.",
      "For {number} I'd want it to really work, but I can see it.",
      "All right, as a price I can at least take that to Priya.",
      "Mm, that's about what I had in mind."
    ],
    competitor: [
      "{competitor}, yes, I know the name.",
      "Ah, {competitor}, a friend of mine at another agency has that.",
      "Funny that you mention {competitor}."
    ],
    tied: [
      "Yes! That is exactly the thing, that would save my mornings.",
      "Oh, if that worked, I'd sleep better.",
      "You've been listening, that's the very problem.",
      "See, that I would like to see with my own eyes."
    ],
    pitched: [
      "When you say {buzzword}, what would that look like for someone like me?",
      "That sounds nice, and what would it mean for us?",
      "Okay, and how does that help an agency like ours?",
      "I see, I think.",
      "Interesting, though I'm not sure where we'd use it."
    ],
    yourTurn: [
      "That's how it is, and what would you do about it?",
      "You've asked me about it, so what's your answer?",
      "I've told you my worry, now reassure me."
    ],
    goOn: [
      "That's kind of you to say.",
      "Thank you for seeing that, but what would you do about it?",
      "Right, and then?"
    ],
    halfway: [
      "Okay, that helps a little, I'm just not all the way there.",
      "Hm, I think I follow, more or less.",
      "That's one side of it, I guess.",
      "It does make me feel better, though I'm still chewing on it."
    ],
    dropped: [
      "Well, as for {concern}, never mind then.",
      "I notice we're not going to talk about {concern}, fine.",
      "Let's leave {concern} for now, shall we."
    ],
    reopen: [
      "Before we put anything in the calendar, we never talked about {concern}.",
      "There's still {concern}, that hasn't gone away for me.",
      "I'd feel better if we came back to {concern}."
    ],
    dodged: ["You didn't answer my question, did you?", "I'd asked you something, actually.", "And my question?"],
    interrupt: [
      "Sorry, sorry, let me stop you there, you lost me halfway.",
      "That was a lot, {caller}, can you give me the short version?",
      "Hold on, I'm still back at the first half of that."
    ],
    repeat: ["You've just said that, haven't you?", "I think I heard that before."],
    rude: ["Excuse me? That's not a nice way to talk.", "I'd ask you to be polite, I've been polite with you."],
    silence: ["Hello? Are you still there?", "I can't hear you, I think.", "The line's gone quiet."],
    foreign: ["I'm so sorry, I only speak English.", "I didn't understand a word, could we try English?"],
    thanks: ["You're welcome!", "Oh, of course.", "My pleasure."],
    askDay: [
      "I'd be up for that, when were you thinking?",
      "Yes, let's do it, just tell me a day so that I can write it down.",
      "Happy to, which day?"
    ],
    agree: [
      "{when} works, {caller}, I'll write it on the big board, and I'm really looking forward to it.",
      "Yes, {when}, send me the invitation and I'll bring Priya along, bye for now!",
      "Let's say {when} then, and don't forget the {promise} you promised, it was lovely talking to you.",
      "{when} is good, I'll have my horror stories ready, talk to you then!"
    ],
    refuseDiscovery: [
      "That's a bit fast for me, you hardly know what we do here.",
      "A meeting about what, exactly, if you don't know how we work?",
      "I'd rather you got to know us a little first."
    ],
    refuseValue: [
      "I'm not sure yet what I'd get out of it, honestly.",
      "Before I give you an hour I'd need to see what changes for us.",
      "Hm, I can't picture yet how it would help."
    ],
    refuseTrust: [
      "I don't feel sure enough about this yet, sorry.",
      "I'd like to, but something doesn't feel right so far.",
      "Not yet, let's talk a bit more."
    ],
    warm: [
      "Oh, I like that.",
      "That makes sense to me.",
      "Mm-hm, I'm with you.",
      "Good to hear, {caller}.",
      "Yes, I can imagine that.",
      "Right, that's how it is here, too.",
      "You do seem to know our kind of business."
    ],
    cool: [
      "Okay.",
      "Mm.",
      "If you say so.",
      "I'm not sure what to do with that.",
      "Sorry, what do you mean?",
      "And where does that leave us?",
      "I'm half listening, the other phone is ringing."
    ],
    leavesMonologue: [
      "I'm sorry, I have to go, there are three lines blinking and I've lost the thread.",
      "I really must interrupt, my phones are on fire, all the best to you!"
    ],
    leavesRepetition: [
      "We're going round in circles, so I'll say goodbye here.",
      "You keep telling me the same thing, I think we should stop, take care."
    ],
    leavesRude: ["I don't let anyone talk to me like that, goodbye.", "No, I'm hanging up now, that was uncalled for."],
    leavesImpatient: [
      "You know what, I have people waiting for me, this isn't going anywhere.",
      "I've run out of minutes, and a bit of patience too, goodbye."
    ],
    leavesPushed: [
      "I've said no a few times now, please don't push me, bye.",
      "That's one push too many, I'm going to end it here."
    ],
    leavesVague: [
      "Without a day it won't happen, I know myself, so let's leave it for now.",
      "Well, call me again when you have a date, bye!"
    ],
    leavesSilence: ["I think the line is dead, I'll hang up now.", "Nobody there, okay then, bye."],
    leavesTime: [
      "I have to run, the afternoon shift is starting, take good care!",
      "That's all the time I have today, but thanks for calling."
    ],
    leavesKindly: ["It was nice talking to you, {caller}, good luck!", "Thanks for the call, have a lovely day!"],
    leavesCoolly: ["All right, bye then.", "Okay, goodbye."]
  }
}
