/**
 * Walt Brennan: folksy, thrifty, full of stories. He haggles for sport and buys from people he likes.
 *
 * @since 0.1.0
 */
import type { Personality } from "../Personality.js"

/**
 * The thrifty owner of a family business.
 *
 * @since 0.1.0
 * @category personalities
 */
export const walt: Personality = {
  id: "walt",
  name: "Walt Brennan",
  title: "Owner",
  company: "Brennan & Daughter Heating and Air",
  description:
    "Thrifty and folksy, forty years in the trade. He likes a chat and hates subscriptions. Every dollar needs a reason, and his daughter has a say.",
  difficulty: "medium",
  temperament: {
    start: { patience: 72, trust: 32, interest: 28 },
    warmth: 1.15,
    harshness: 1,
    drain: 1,
    monologue: { annoys: 100, ends: 165 },
    guard: 0.4,
    appetite: 5
  },
  bar: { facts: 3, value: 3, settled: 2, trust: 50, interest: 48 },
  tools: ["QuickBooks"],
  pain: [
    "call",
    "phone",
    "miss",
    "appointment",
    "job",
    "callback",
    "whiteboard",
    "dispatch",
    "truck",
    "customer",
    "book",
    "weekend"
  ],
  facts: {
    team: {
      trust: 0,
      told: [
        "Fourteen of us: nine fellas on the trucks, two gals on the phones, my daughter, my brother-in-law, and me.",
        "My brother-in-law I count as half a man, but don't tell him."
      ],
      brief: ["Thereabouts."]
    },
    tool: {
      trust: 18,
      told: [
        "A whiteboard, a paper calendar, and QuickBooks for the bills.",
        "That whiteboard has been hanging there since 1994 and never crashed once."
      ],
      brief: ["We've got our ways."]
    },
    pain: {
      trust: 28,
      told: [
        "First hot day in June the phone rings off the wall, and half of them hang up before we can answer.",
        "And then Ray drives forty miles to a house where nobody's home, because somebody wiped the board with his sleeve."
      ],
      brief: ["Nothing a strong coffee couldn't fix."]
    },
    impact: {
      trust: 36,
      told: [
        "My daughter figured thirty missed calls a week in the season, at three hundred a job, you do the math.",
        "I did the math once and had to sit down."
      ],
      brief: ["A bit, I reckon."]
    },
    goal: {
      trust: 30,
      told: [
        "I'd like to go fishing on a Saturday without that phone in my waders.",
        "And hand the shop over to Becky in one piece, that's the long and short of it."
      ],
      brief: ["Well, sure, who wouldn't?"]
    },
    budget: {
      trust: 44,
      told: [
        "Couple hundred a month wouldn't hurt me, as long as I see it come back.",
        "I spent four thousand on a billboard last year and got one call, so I'm careful now."
      ],
      brief: ["I've got a dollar put away somewhere."]
    },
    decision: {
      trust: 34,
      told: [
        "Name on the truck is mine, but Becky, my daughter, she runs the numbers.",
        "If Becky says yes I grumble for a day and then I sign."
      ],
      brief: ["Depends who you ask in this family."]
    },
    timing: {
      trust: 30,
      told: [
        "Has to be before the heat comes, nobody here learns anything new in July.",
        "April's slow, that's when I fix my own roof."
      ],
      brief: ["I'm in no rush, son."]
    }
  },
  objections: [
    {
      id: "another-salesman",
      theme: "need",
      concern: "you being a salesman",
      fits: ["opening"],
      raise: ["Lemme guess, you're selling something."],
      explain: ["Had one Tuesday with solar panels, and I'm in the heating business, mind you."],
      insist: ["Still sounds like selling to me."],
      settle: ["Well, at least you're straight about it."]
    },
    {
      id: "on-a-roof",
      theme: "time",
      concern: "me standing on a ladder",
      fits: ["opening"],
      raise: ["I'm halfway up a ladder here, friend."],
      explain: ["Mrs. Hanley's compressor, third time this year, she bakes me a pie every time."],
      insist: ["Ladder, remember?"],
      settle: ["Alright, I've climbed down, shoot."]
    },
    {
      id: "costs-too-much",
      theme: "price",
      concern: "the money",
      fits: ["price", "nextStep"],
      raise: ["{number}! My first truck cost less than that.", "Whoa there, you're reaching for my wallet already."],
      explain: ["I've never minded paying, I mind paying and getting nothing, and that's happened."],
      insist: ["You're dancing around the price like it's a hot stove."],
      settle: ["One saved job pays for it, huh, that I can get my head around."]
    },
    {
      id: "no-subscriptions",
      theme: "price",
      concern: "paying every month till I die",
      fits: ["price", "pitch"],
      raise: ["I buy a wrench once and it's mine, I don't rent wrenches by the month."],
      explain: ["They got me on the printer ink, the truck radio and the tax thing, a fella bleeds out slowly."],
      insist: ["A monthly bill is a monthly bill."],
      settle: ["If I can quit any month I like, it's not a leash."]
    },
    {
      id: "whiteboard-works",
      theme: "incumbent",
      concern: "my whiteboard",
      fits: ["competitor", "pitch", "lull"],
      raise: [
        "Never needed {competitor} nor anything like it, I've got a whiteboard.",
        "My whiteboard never asked me for a password."
      ],
      explain: [
        "Everybody walks past it in the morning, takes one look and knows where to go, that's worth something."
      ],
      insist: ["Don't talk my whiteboard down, now."],
      settle: ["So the fellas still get one look in the morning, just on the phone, okay."]
    },
    {
      id: "bad-with-computers",
      theme: "effort",
      concern: "me and computers",
      fits: ["pitch", "questions", "lull"],
      raise: ["I'm no good with computers, I type with one finger and it's the wrong one."],
      explain: ["My girls on the phones are worse, bless them, they print the emails."],
      insist: ["You're talking to a man who owns a fax machine."],
      settle: ["If somebody sits down with us and shows us, that's different."]
    },
    {
      id: "fellas-wont",
      theme: "effort",
      concern: "the fellas on the trucks",
      fits: ["questions", "pitch", "nextStep"],
      raise: ["Ray's been on the truck thirty years, he won't do anything with an app."],
      explain: ["He thinks it's for spying on how long he has lunch, and he does have long lunches."],
      insist: ["And who's going to tell Ray?"],
      settle: ["Ha, if it saves Ray those forty miles he'll shut up about it."]
    },
    {
      id: "got-cheated",
      theme: "trust",
      concern: "that fella who cheated us",
      fits: ["lull", "pitch", "competitor"],
      raise: ["Fella sold us a website once, took the money and I never saw him again."],
      explain: ["Two thousand dollars, and the thing had a picture of somebody else's furnace on it."],
      insist: ["That website fella talked real nice, too."],
      settle: ["Talking to your other customers, that he never offered."]
    },
    {
      id: "word-of-mouth",
      theme: "need",
      concern: "needing it at all",
      fits: ["pitch", "lull", "nextStep"],
      raise: ["We've got all the work we can handle, folks know us."],
      explain: ["Though I guess I don't know the ones who called and didn't get through."],
      insist: ["I don't go looking for more work, it finds me."],
      settle: ["Fair, can't fix a furnace for a fella I never talked to."]
    },
    {
      id: "ask-becky",
      theme: "authority",
      concern: "what Becky says",
      fits: ["nextStep"],
      raise: ["I'd have to ask Becky, she'd skin me."],
      explain: ["She'll want to know what it hooks up to and what we can throw out for it."],
      insist: ["I'm not signing up for anything behind Becky's back."],
      settle: ["Good, you get Becky on there as well and I'm covered."]
    },
    {
      id: "internet-out",
      theme: "security",
      concern: "when the internet goes out",
      fits: ["questions", "pitch", "nextStep"],
      raise: ["Internet here goes out every time the wind blows, then what?"],
      explain: ["Last storm it was two days, and that's exactly when everybody's heat is off."],
      insist: ["The wind still blows out here."],
      settle: ["Okay, so it keeps on working out on the trucks."]
    },
    {
      id: "mail-me",
      theme: "email",
      concern: "that brochure",
      fits: ["nextStep", "opening"],
      raise: ["Stick a brochure in the mail and I'll look at it on Sunday."],
      explain: ["By mail I do mean the kind with a stamp."],
      insist: ["A brochure never hurt anybody."],
      settle: ["You're right, it'd end up under the coffee pot."]
    }
  ],
  curiosities: [
    {
      ask: "So what would it do when Mrs. Hanley calls at night?",
      heard: "She'd like that, she can't stand the answering machine."
    },
    { ask: "Any heating outfits our size on it?", heard: "Well I'll be, I know a couple of those." },
    { ask: "Could I try it on one truck?", heard: "One truck I can live with." },
    { ask: "Who do I holler at when it breaks?", heard: "A fella with a name, that's what I like." },
    { ask: "Does it talk to QuickBooks?", heard: "Becky's gonna like that." },
    { ask: "Can I quit whenever I want?", heard: "Fair's fair." }
  ],
  lines: {
    greeting: [
      "Brennan and Daughter, Walt here.",
      "Yello, Walt Brennan.",
      "Heating and air, this is Walt, what's broken?",
      "Brennan's, what can we fix for you?"
    ],
    welcome: [
      "Howdy, {caller}, what can I do you for?",
      "{from}, huh, and what do you folks do?",
      "Well hello there, what's the trouble?",
      "Hi, you sound like you're not calling about a furnace."
    ],
    granted: [
      "Sure thing, {caller}, I've got till the coffee's through.",
      "Well, that's polite, most don't ask, so go on.",
      "I've got a minute, the truck's warming up.",
      "Good a time as any."
    ],
    grudging: ["Make it snappy, it's getting hot in here.", "Half a minute, friend."],
    smallTalk: [
      "Can't complain, knees hurt, sun's out, and yourself?",
      "Fair to middling, like my father used to say.",
      "Better than Ray, he's under a house."
    ],
    guarded: [
      "Now hold on, I don't tell strangers about {topic}.",
      "That's family business, for now.",
      "You're asking about {topic} and I don't even know you yet.",
      "My father told me never to answer that one on the telephone."
    ],
    again: [
      "Told you that one already.",
      "My stories about {topic} don't get better the second time.",
      "Like I said, friend.",
      "That's all there is to know about {topic}."
    ],
    deflect: [
      "Couldn't tell you.",
      "Hm, you'd have to ask Becky about that.",
      "Well, some days yes and some days no.",
      "Never thought about it, to be honest.",
      "That's above my pay grade, and I set the pay."
    ],
    manyQuestions: [
      "Easy, cowboy, one at a time.",
      "You ask like my wife, all at once.",
      "I've got room for one question in this head."
    ],
    interrogated: [
      "You sure ask a lot, you from the tax office?",
      "I've been doing all the talking, so what've you got?",
      "Alright, my turn, what do you do?"
    ],
    unasked: [
      "You're fixing a furnace you haven't looked at.",
      "Nice speech, but you don't know my shop.",
      "When I come to a house I ask what's wrong first."
    ],
    fairPrice: [
      "{number}, and that's the best you can do?",
      "For {number} it'd have to answer the phone and sing.",
      "Hm, one job in the season covers that, I suppose.",
      "I've paid more for less."
    ],
    competitor: [
      "{competitor}, my daughter mentioned that one.",
      "Oh, {competitor}, sure, heard of it.",
      "{competitor}, huh?"
    ],
    tied: [
      "Now that'd be something, you've got my attention.",
      "Well, that's my trouble in a nutshell.",
      "If it does that, Becky will kiss you.",
      "See, that's worth more to me than a billboard."
    ],
    pitched: [
      "'{buzzword}', that a brand of furnace?",
      "Sounds fancy, what's it do on a hot day in June?",
      "Uh-huh, and for a shop like mine?",
      "That may be so.",
      "I'd have to see it to believe it."
    ],
    yourTurn: [
      "That's the whole story, so what's your fix?",
      "You've heard what ails me, where's the medicine?",
      "Well, what would you do about it, then?"
    ],
    goOn: ["Glad you see it my way.", "Kind of you, but that doesn't fix it.", "Mm-hm, go on."],
    halfway: [
      "Well, that's not nothing.",
      "I'm listening with one ear now.",
      "You're getting warmer.",
      "That's a start, I guess."
    ],
    dropped: [
      "Slid right past {concern}, didn't you?",
      "Alright, I'll keep chewing on {concern} by myself.",
      "Have it your way, we won't talk about {concern}."
    ],
    reopen: [
      "Now wait, we never got around to {concern}.",
      "Before I get my calendar, there's {concern}.",
      "You hopped over {concern} back there, I didn't forget."
    ],
    dodged: ["I asked you a question, friend.", "That's slippery.", "And what about what I asked?"],
    interrupt: [
      "Whoa, breathe, you lost me two exits back.",
      "Son, you could talk the paint off a truck, what's the short of it?",
      "Hang on there, {caller}, say that again in plain words."
    ],
    repeat: ["You've played that record.", "That's what you said before, I'm old but not deaf."],
    rude: ["Now, there's no call for that.", "You kiss your mother with that mouth?"],
    silence: ["You still there?", "Hello, hello?", "Must be the wind on the line."],
    foreign: ["Sorry, friend, I only got the one language.", "Didn't catch a word, you got that in English?"],
    thanks: ["Anytime.", "Don't you worry about it.", "Sure, sure."],
    askDay: [
      "Alright, I'll give it a look, what day?",
      "Could do, you tell me when and I'll ask the calendar.",
      "Pick a day, friend."
    ],
    agree: [
      "{when}, I'll put it up on the whiteboard, big letters, and Becky will be there.",
      "Alright, {caller}, {when}, you come by the shop and I'll make the coffee.",
      "{when} it is, and bring that {promise} for Becky.",
      "You talked me into it, {when}, so long!"
    ],
    refuseDiscovery: [
      "Slow down, you don't know the first thing about my shop.",
      "You want a date and we haven't even danced.",
      "Ask me a thing or two first, then we'll see."
    ],
    refuseValue: [
      "I don't see yet what I'd be buying.",
      "What's it do for me, that's what I'm missing.",
      "Show me where the dollar comes back, then we can meet."
    ],
    refuseTrust: [
      "I'm not there yet, friend, I like to know who I deal with.",
      "My gut says wait.",
      "Let's us talk a bit more before I clear a morning."
    ],
    warm: [
      "Well, I'll be.",
      "That's good sense, {caller}.",
      "Now you're talking.",
      "I like the sound of it.",
      "Becky said the same thing.",
      "You'd make a decent plumber.",
      "Uh-huh, that's right."
    ],
    cool: [
      "Is that so?",
      "Hm.",
      "You don't say.",
      "I'm not sure I follow.",
      "Well, that's what they all say.",
      "What's that got to do with me?",
      "Keep going, the coffee's still dripping."
    ],
    leavesMonologue: [
      "Friend, I've got a truck running and you've got no brakes, so long.",
      "I fixed a whole furnace while you were talking, gotta go."
    ],
    leavesRepetition: [
      "That record's stuck, so I'm lifting the needle, bye.",
      "Heard it three times now, I'm done listening."
    ],
    leavesRude: ["I don't take that from anybody, goodbye.", "You just lost yourself a customer."],
    leavesImpatient: ["Coffee's done and so am I.", "I've got folks freezing out there, can't stand around for this."],
    leavesPushed: ["No means no, even in business, bye now.", "Push a mule and it sits down, so long to you."],
    leavesVague: ["Sometime is no time, call me when you've got a day.", "Let's leave it at maybe, then."],
    leavesSilence: ["Guess nobody's there, hanging up.", "Darn phones."],
    leavesTime: ["Ray's at the door, I gotta run.", "Well, the day's getting on, thanks for the chat."],
    leavesKindly: ["Nice talking to you, {caller}, you take care now.", "Good luck to you, friend."],
    leavesCoolly: ["Alrighty, bye.", "So long."]
  }
}
