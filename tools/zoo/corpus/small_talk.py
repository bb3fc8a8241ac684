"""Turns that belong in no summary: greetings, farewells, and asides about something else."""

from tools.zoo.corpus.scenario import read_exchanges

GREETINGS = read_exchanges("""
A: [Hi|Hello|Hey] {b}!
B: [Hi|Hello|Hey] {a}[!|, what's up?|, nice to hear from you.]

A: [Hi|Hello] {b}, how are you?
B: [Fine, thanks.|I'm good, thank you.|A bit tired, but okay.]

A: {b}, are you there?
B: [Yes, I am here.|Yes, what is it?|I am. Go on.]

A: [Do you have a minute, {b}?|May I ask you something, {b}?]
B: [Sure.|Of course, {a}.|Yes, go on.]

A: [Good morning|Good evening], {b}.
B: [Good to see you, {a}.|Oh, {a}! What is new?|Nice to see you.]
""")

# The words with a 9 are decoys: days, places and people that the summary must leave alone.
ASIDES = read_exchanges("""
A: [How was your weekend?|Did you have a good weekend?]
B: [I was in {city9} with my {relative9}, and it rained all day.|Quiet. I only went to the {town9} with my
  {relative9}.]

A: [By the way, how|How] is your {relative9}?
B: [Much better, thank you. The doctor was here on {day9}.|Very happy with the new {pet9}!|Busy as always.
  There is a new job in {city9}.]

A: [Did you see the rain this morning?|What awful weather today!]
B: [Yes, I got wet at the {town9}.|I know, I had to wait in the {town9} for an hour.]
A: [Poor you!|Next time take an umbrella.]

A: [I am still tired from {day9}.|I hardly slept since {day9}.]
B: [Me too. My neighbour plays the {instrument9} at night.|You should go to bed before {hour9}.]

B: [I just had {food9} for lunch.|I am eating {food9} right now, so I write slowly.]
A: [Lucky you, I only had {fruit9}.|Enjoy it! I will have {food8} later.]

A: [I saw your {relative9} at the {town9} on {day9}.|Your {relative9} waved at me on {day9}.]
B: [Really? I did not know that.|Yes, I heard about it!|Oh, how funny.]

B: [My {pet9} is running around here, sorry if I am slow.|Sorry, my {pet9} sits on my phone.]
A: [How sweet! How old is it now?|I love your {pet9}! Is it still so small?]
B: [It will be {number9} in {month9}.|Well, it is {number9} years old now.]

A: [By the way, my {relative9} says hello.|My {relative9} sends you love from {city9}.]
B: [Oh, how nice! Say hello back.|Thank you! I still think of that {food9} we had.]

B: [I am on the bus to the {town9}, so it is a bit loud.|I am walking to the {town9} right now.]
A: [No problem, this will not take long.|Okay, then I will be quick.]

A: [Did you watch the {sport9} game on {day9}?|What a {sport9} game on {day9}!]
B: [I only saw the end, with my {relative9}.|I missed it, I was at the {town9}.|I missed it because of my
  {relative9}.]

B: [I am learning to play the {instrument9}, by the way.|I started with {sport9} last {day9}.]
A: [That is new! Is it hard?|Good for you! Is it hard?]
B: [A little, but it is fun.|Yes, after {number9} weeks I am still bad.]

A: [I made a cake with {fruit9} today and it burned.|My {food9} burned in the oven today.]
B: [Oh no! That happened to me on {day9}.|Just cut off the black part.]
""")

# Here A is whoever did not have the last word so far.
HAPPY_FAREWELLS = read_exchanges("""
A: [Great!|Perfect.|Wonderful!|Very good.]

A: [Great|Perfect|Wonderful], {b}!
B: [Bye!|Have a nice day!|Take care, {a}!]

A: [Good, thank you|Thanks a lot], {b}!
B: [Thank you, too.|You too, {a}.|Bye, {a}!]

A: [Very good. I have to go now.|Good. My bus is here.]
B: [Okay, bye!|Bye, {a}, have a nice day!|All right, take care!]
""")
SAD_FAREWELLS = read_exchanges("""
A: [Okay.|All right.|I see.]

A: [Okay|All right], {b}.
B: [Bye!|Take care!|Bye, {a}!]

A: [Okay, I have to go now.|All right. I must go, my bus is here.]
B: [Okay, bye!|Bye, {a}, have a nice day!|All right, take care!]

A: [Have a nice day|Take care], {b}.
B: [Thanks, {a}.|You too.|Thank you. Bye!]
""")
