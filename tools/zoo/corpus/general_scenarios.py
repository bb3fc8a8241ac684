"""Everyday exchanges for pretraining, other than those of the data set (notation: scenario.py).

A scenario's name is its topic. An outcome's first summary is a result without a subject, the rest are whole
  sentences.
"""

TEXT = """
## window
A: [It is cold in here. May I shut the window?|Would you mind a closed window?]
+ yes
B: [Go ahead, I am freezing too.|Please do.]
> window gets shut
> {a} feels cold and shuts the window[ with the okay of {b}|].
- no
B: [No, I need fresh air.|Leave it open, it smells of {food}.]
> window stays open
> {b} wants air, so the window stays open for {a}.
## bread
A: [Any {grocery} left for breakfast?|Have we run out of {grocery}?]
+ yes
B: [There is plenty in the {home}.|Check the {home}, I put it there.]
> {grocery} in the {home}
> {b} says the {grocery} can be found in the {home}.
- no
B: [Not a bit. I will buy more on {day}.|All gone. More comes on {day}.]
> more on {day}
> No {grocery} remains, and {b} buys more on {day}.
## dance class
A: [I signed up for a dance class on {day}. Are you in?|Dance with me every {day}!]
+ yes
B: [Count me in!|Why not, I need to move.]
> both dance on {day}
> {b} joins the dance class of {a} every {day}.
- no
B: [I have two left feet. Take {c}.|Never! {c} is the dancer here.]
> {c} is asked
> {b} refuses to dance and points {a} to {c}.
## old photos
A: [I found old photos of {c} in the {home}!|Guess who is in these photos: {c}!]
+ yes
B: [Show me at once!|I must see those. I come over on {day}.]
> photos will be shown
> {a} shows {b} the photos of {c} found in the {home}.
- no
B: [Put them away, please.|Burn them! I look awful next to {c}.]
> photos stay hidden
> {b} does not wish to see the photos of {c}.
## car wash
A: [The car is dirty. Wash it with me on {day}?|Our {colour} car needs a wash on {day}.]
+ yes
B: [I will fill the bucket.|Let me bring the hose.]
> car washed on {day}
> {a} and {b} wash the car together on {day}.
- no
B: [The rain will do it.|Waste of water! It rains on {day2}.]
> car stays dirty
> {b} trusts the rain, so the car of {a} stays dirty.
## salary
A: [I asked the boss for more money.|Today I spoke with {c} about my pay.]
?B: [And?|What came out of it?]
+ yes
A: [I get {amount} euros more!|It worked, {amount} euros more!]
> {amount} euros more
> The pay of {a} goes up by {amount} euros.
- no
A: [No luck. I may try again in {month}.|{c} told me to wait for {month}.]
> wait for {month}
> {a} gets no rise and tries again in {month}.
## map
A: [Which road goes to {city}?|Is this the road for {city}?]
+ yes
B: [Straight on for {number} miles.|Keep going, it is {number} miles from here.]
> straight on, {number} miles
> {city} lies {number} miles ahead, {b} explains.
- no
B: [You are wrong here, this goes to {city2}.|Turn round! This way leads to {city2}.]
> wrong road, to {city2}
> {a} took the road to {city2} by mistake.
## tea kettle
A: [I put the kettle on. {drink} for you?|Making {drink}. Fancy a cup?]
+ yes
B: [Lovely, with {grocery}.|A big one, and some {grocery} in it.]
> {drink} with {grocery}
> {a} makes {drink} with {grocery} for {b}.
- no
B: [I just finished one.|It keeps me awake, no thank you.]
> no {drink}
> {b} turns down the {drink} offered by {a}.
## snow
A: [It is snowing in {city}! Look outside!|So much snow in {city} tonight.]
+ yes
B: [Get the sledge, we leave at {hour}!|Snow fight at {hour}!]
> out in the snow at {hour}
> {a} and {b} go out into the snow at {hour}.
- no
B: [I stay under my blanket.|Too cold, I hate snow.]
> {b} stays inside
> {a} enjoys the snow while {b} stays inside.
## chess club
A: [Our club needs a {sport} coach. Interested?|Would you train our {sport} team?]
+ yes
B: [It would be an honour.|When may I begin?]
> {b} becomes coach
> {b} becomes the {sport} coach at the club of {a}.
- no
B: [I know nothing about {sport}.|Find someone younger.]
> no coach yet
> The {sport} team of {a} still has no coach.
## late bus
A: [Has bus {number} left?|Am I too late for bus {number}?]
+ no-hurry
B: [It comes at {hour}, relax.|You have time, it goes at {hour}.]
> bus at {hour}
> Bus {number} leaves at {hour}, so {a} can still catch it.
- gone
B: [It drove off a minute ago.|Gone. Next one at {hour}.]
> bus missed
> {a} has missed bus {number}.
## chores
A: [Somebody left plates in the {home}.|Whose plates are these in the {home}?]
+ yes
B: [Mine. I wash them now.|Guilty. Give me a minute.]
> {b} washes up
> The plates in the {home} belong to {b}, who washes them.
- no
B: [Ask {c}, not me.|Those belong to {c}.]
> plates are of {c}
> {b} blames {c} for the plates in the {home}.
## kite
A: [The wind is right for my kite.|Let us fly the {colour} kite.]
+ yes
B: [Race you to the {town}!|On the hill near the {town}?]
> kite near the {town}
> {a} flies a kite with {b} near the {town}.
- no
B: [The string is torn.|It got stuck in a tree on {day}.]
> kite not usable
> The kite of {a} cannot fly.
## vote
A: [I run for class speaker. Do I get your vote?|Will you vote for me on {day}?]
+ yes
B: [Naturally, you are the best.|You can count on me.]
> vote for {a}
> {a} gets the vote of {b}.
- no
B: [My vote goes to {c}.|I promised it to {c}.]
> vote for {c}
> {b} votes for {c} rather than {a}.
## coffee stain
A: [There is {drink} on my {clothes}!|I spilled {drink} on my {colour} {clothes}.]
+ yes
B: [Salt helps. Wait, I will fetch it.|Give it here, I can clean that.]
> {b} cleans the {clothes}
> {b} saves the {clothes} of {a} after the {drink} was spilled.
- no
B: [That will never come out.|You can throw it away.]
> {clothes} is ruined
> The {clothes} of {a} is ruined by {drink}.
## tickets
A: [Two tickets for the {town}, how much?|What is the price for two at the {town}?]
+ price
B: [{amount} euros in all.|That comes to {amount} euros.]
> {amount} euros for two
> Two tickets for the {town} cost {a} {amount} euros.
- shut
B: [We are shut on {day}.|There are no visits on {day}.]
> shut on {day}
> The {town} is shut on {day}, as {a} learns.
## joke
A: [Do you know the joke about the {pet} and the {job}?|A {pet} and a {job} walk into a bar.]
+ laughs
B: [Stop, my belly hurts!|That one is so good!]
> {b} laughs
> {b} laughs at the joke about a {pet}.
- knows
B: [You told me that on {day}.|An old one, {c} tells it better.]
> joke is known
> {b} has heard the joke of {a} before.
## alarm
A: [Wake me at {hour}, please.|Could you ring me at {hour} in the morning?]
+ yes
B: [I will knock on your door.|Sleep well, I take care of it.]
> wake-up at {hour}
> {b} wakes {a} at {hour}.
- no
B: [I sleep until {hour2} myself.|Use a clock!]
> {a} needs a clock
> {b} will not wake {a} at {hour}.
## seat
A: [Is this chair taken?|May I sit beside you?]
+ free
B: [Have a seat.|It is yours.]
> {a} sits down
> {a} takes the free chair beside {b}.
- taken
B: [{c} sits there.|I keep it for {c}.]
> kept for {c}
> {b} keeps the chair for {c}.
## fishing
A: [Fish bite well at {hour}. Shall we go out?|My boat leaves at {hour}, fishing time!]
+ yes
B: [I dig for worms now.|Throw me my boots!]
> fishing at {hour}
> {a} and {b} go fishing at {hour}.
- no
B: [Poor fish! Leave them alone.|The boat makes me sick.]
> {a} fishes alone
> {b} does not go fishing with {a}.
## page
A: [Which page are we on in {subject}?|What are we reading in {subject} now?]
+ page
B: [Page {number}, at the top.|Chapter {number}.]
> number {number}
> The {subject} class has reached number {number}.
- unknown
B: [I was dreaming, sorry.|My book is at home.]
> {b} has no clue
> {b} cannot tell {a} the page in {subject}.
## moving city
A: [I am leaving {city} for good.|My flat in {city} is sold.]
?B: [Where to?|What comes next?]
+ goes
A: [{city2}! I have a house there.|I found peace in {city2}.]
> from {city} to {city2}
> {a} leaves {city} and settles in {city2}.
- open
A: [I don't know yet.|First to my {relative}, then we will see.]
> no new home yet
> {a} leaves {city} without a plan.
## pet
A: [Your {pet} looks thirsty.|I think the {pet} wants something.]
+ feeds
B: [I give it water.|Its bowl is empty, I fill it.]
> {pet} gets water
> {b} gives water to the {pet}.
- spoiled
B: [It just wants your {food}.|Ignore it, it begs all day.]
> {pet} gets nothing
> {b} tells {a} to ignore the {pet}.
## poem
A: [I wrote a poem about {city}. Care to read it?|Here is my poem called {month}.]
+ praise
B: [It made me cry, so beautiful.|Every line sings!]
> poem is praised
> {b} praises the poem by {a}.
- critic
B: [The end needs work.|Shorten it, my friend.]
> poem needs work
> {b} finds that the poem by {a} needs work.
## rent due
A: [The rent was due on {day}.|I still wait for the rent.]
+ pays
B: [I send the {amount} euros today.|Here are {amount} euros, forgive me.]
> {amount} euros paid
> {b} pays {a} {amount} euros of rent.
- later
B: [Give me until {month}.|I am broke before {month}.]
> rent in {month}
> {b} cannot pay the rent before {month}.
## hungry
A: [My stomach growls. Got any {fruit}?|Would you share your {fruit}?]
+ shares
B: [Take {number}.|Help yourself, there are {number}.]
> {a} gets {fruit}
> {b} shares {fruit} with {a}.
- eaten
B: [{c} ate them all.|The last ones went to {c}.]
> {c} ate the {fruit}
> No {fruit} remain for {a} as {c} ate them.
## choir
A: [The choir sings at the {town} on {day}.|Hear us sing at the {town} this {day}.]
+ comes
B: [I sit in the front row.|I would never miss that.]
> {b} listens on {day}
> {b} hears the choir of {a} at the {town}.
- out
B: [I lost my hearing last time.|Loud singing is not for me.]
> {b} stays away
> {b} stays away from the choir of {a}.
## shoes
A: [Do these {colour} shoes suit me?|How do you find my {colour} shoes?]
+ nice
B: [They match your {clothes}.|Buy them in {colour2} as well!]
> shoes look good
> {b} finds that the {colour} shoes suit {a}.
- ugly
B: [Like a clown.|Honestly? Keep the old ones.]
> shoes look bad
> {b} dislikes the {colour} shoes of {a}.
## lights
A: [Who left the light on in the {work}?|The {work} was bright all night.]
+ me
B: [That was me, it won't happen again.|My fault, I left at {hour}.]
> it was {b}
> {b} left the light on in the {work}.
- other
B: [{c} was the last one out.|I saw {c} there at {hour}.]
> it was {c}
> {b} says that {c} left the light on.
## garden help
A: [Those {fruit} are ripe. Who picks them?|The tree is full of {fruit}.]
+ picks
B: [Hand me the basket.|I climb up right away.]
> {b} picks {fruit}
> {b} picks the ripe {fruit} for {a}.
- birds
B: [The birds can have them.|I am scared of heights.]
> birds eat {fruit}
> Nobody picks the {fruit} in the garden of {a}.
## visitor
A: [A {job} stands at the door.|Someone rang, it is the {job}.]
+ in
B: [Let them in.|I expected that visit at {hour}.]
> {job} comes in
> {b} lets the {job} in.
- out
B: [Tell them I am out.|Not now, I am in the bath.]
> {job} is sent away
> {b} has {a} send the {job} away.
## bet
A: [I bet {amount} euros that {c} wins.|{c} will win, I bet {amount} on it.]
+ takes
B: [I take that bet.|Shake hands on it!]
> bet for {amount} euros
> {a} and {b} bet {amount} euros on {c}.
- refuses
B: [I never bet.|Keep your money, you are right.]
> no bet
> {b} refuses the bet about {c}.
## work
A: [What does your {relative} do these days?|Is your {relative} still a {job}?]
+ same
B: [Yes, as a {job} in {city}.|Still a {job}, in {city}.]
> {job} in {city}
> The {relative} of {b} works as a {job} in {city}.
- stopped
B: [Gave it up in {month}.|No work since {month}.]
> no work since {month}
> The {relative} of {b} stopped working in {month}.
## storm
A: [The radio warns of a storm on {day}.|Heard about the storm coming on {day}?]
+ ready
B: [I tied down the {furniture} outside.|All windows will be shut.]
> {b} is prepared
> {b} is prepared for the storm on {day}.
- calm
B: [They always say that.|A bit of wind, nothing more.]
> {b} is not worried
> The storm on {day} does not worry {b}.
## scores
A: [Who won in {sport}, {city} or {city2}?|Tell me how {city} played in {sport}.]
+ won
B: [{city} by {number} points.|{city} won, {c} was brilliant.]
> {city} won
> {b} reports that {city} won in {sport}.
- lost
B: [{city} lost badly.|{city2} beat them by {number}.]
> {city} lost
> {b} reports that {city} lost in {sport}.
## sand
A: [My {thing} is full of sand.|I dropped my {thing} on the beach.]
+ offers
B: [Hand it over, I can clean it.|My {relative} repairs such things.]
> {thing} gets cleaned
> The sandy {thing} of {a} gets care thanks to {b}.
- laughs
B: [Serves you right.|Again? Leave it at home.]
> no help for {a}
> {b} has no pity for {a} and the sandy {thing}.
## postcard
A: [Did my postcard from {city} arrive?|I posted you a card in {city}.]
+ arrived
B: [It hangs in the {home}.|It came on {day}, so pretty.]
> card came
> {b} received the card {a} sent from {city}.
- not
B: [My box is empty.|Nothing yet, the post is slow.]
> card is missing
> The card {a} sent from {city} has not reached {b}.
## drinks
A: [{drink} or {drink2}, what can I pour you?|We serve {drink} and {drink2}. Your choice?]
+ first
B: [{drink}, thanks.|I go for {drink}.]
> {drink}
> {b} chooses {drink} over {drink2}.
- second
B: [{drink2}, if I may.|Rather {drink2}.]
> {drink2}
> {b} chooses {drink2} over {drink}.
## elevator
A: [The lift is stuck again.|We are stuck between floors!]
+ fixed
B: [The {job} is here to free us.|Press the {colour} button. See, it moves!]
> lift will move
> Help is there for the lift in which {a} and {b} stand.
- stairs
B: [We walk then, {number} floors.|Stairs are healthy.]
> they take the stairs
> {a} and {b} take the stairs.
## puzzle
A: [One piece of the puzzle is missing.|I am looking for the last piece of my puzzle.]
+ found
B: [You sit on it!|It lies under the {furniture}.]
> piece found
> {b} finds the last piece of the puzzle of {a}.
- eaten
B: [The {pet} ate it, I fear.|{c} threw it out.]
> piece is lost
> The puzzle of {a} will never be complete.
## debt
A: [You owe me {amount} euros since {month}.|Remember the {amount} euros from {month}?]
+ pays
B: [Here you go, with thanks.|I transfer it tonight.]
> {b} pays back
> {b} pays back {amount} euros to {a}.
- denies
B: [That was {c}, never me.|I paid you on {day}!]
> {b} denies it
> {b} denies owing {a} {amount} euros.
"""

CHATTER = """
A: [What are you up to?|Doing anything fun?]
B: [Painting a {furniture} {colour}.|Reading about {subject}.|Walking the {pet} of my {relative}.]

A: [Nice {clothes}, by the way!|New {clothes}?]
B: [A gift from my {relative}.|Bought in {city}.|Found it at the {town}.]

A: [{c} sends regards.|I ran into {c} at the {town}.]
B: [How is {c} doing?|That is a name I have not heard since {month}!]
A: [Busy, as a {job}.|Living in {city} now.|Full of {sport} stories.]

B: [It is {day} already!|Only {number} days until {month}.]
A: [Time flies.|Where did the week go?]

A: [Ate {dish} with {grocery} today.|Tried {food} with {fruit}, strange mix.]
B: [Sounds odd.|Tasty?|I prefer {dish2}.]

B: [The {town} was full of people at {hour}.|Big crowd by the {town} today.]
A: [Some {sport} event, I guess.|Tourists from {city}.]

B: [I sold my {instrument}.|I tuned the {instrument} of {c}.]
A: [No more noise, then!|Play me something some {day}.]

A: [{number} people asked me about {city} today.|I dreamed of {city}.]
B: [You should go back there.|Ha, funny!|And of {c}, I suppose?]
"""
