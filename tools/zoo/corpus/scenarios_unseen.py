"""Scenarios that only the test split has, to see what carries over to new ones (notation: scenario.py)."""

TEXT = """
## adopt-pet
A: [I want to get a {pet}. What do you think?|We are thinking about getting a {pet}.|I saw a sweet {pet} at
  the shelter.]
?B: [A {pet} needs a lot of time.|Who will feed it?]
?A: [{c} will help me with it.|I have a big garden for it.]
+ adopts
B: [Do it! What will you call it?|I love that. Does it have a name?|Great! And the name?]
A: [Maybe {animal}. I get it on {day}.|I like {animal}. It comes on {day}.|{animal}! I pick it up on {day}.]
> {a} will get a {pet} named {animal} on {day}.
> On {day}, {a} picks up a {pet} and wants to call it {animal}.
- not-now
B: [Your flat is too small. Wait until {month}.|You work too much. Maybe in {month}?|Better wait until
  {month}, when you have time.]
A: [You are right, I will wait.|That makes sense.|Okay, I can wait that long.]
> {a} wants a {pet} but will wait until {month}.
> {b} tells {a} to wait until {month} before getting a {pet}.

## music-band
A: [We need somebody for the {instrument} in our band.|Do you still play the {instrument}? Our band needs
  you.|Our band has nobody for the {instrument}. What about you?]
+ joins
B: [Yes! When do you practise?|I'd love to. When do you meet?|Great! Which day?]
A: [On {day} at {hour} in the {home}.|Every {day} at {hour} in my {home}.|We play on {day} at {hour} in the
  {home}.]
> {b} will play the {instrument} in the band of {a} on {day}.
> {b} joins the band of {a}, which plays on {day} at {hour}.
- sold-it
B: [I sold my {instrument}. Ask {c}.|I stopped. But {c} plays it well.|No, I have no time. Try {c}.]
?A: [What a pity! You were so good.|Oh, I did not know that.]
A: [I will call {c} on {day}.|I can ask {c} on {day}.|I will see {c} on {day}.]
> {b} does not play the {instrument} anymore, so {a} will ask {c}.
> {a} will ask {c} to play the {instrument} in the band.

## share-ride
A: [Are you driving to {city} on {day}?|I heard that you drive to {city} on {day}.|Do you have a free seat
  to {city} on {day}?]
+ takes-along
B: [Yes, I leave at {hour}. Give me {amount} euros.|Yes. We leave at {hour}, and it costs {amount}
  euros.|There is one seat. {hour}, {amount} euros.]
?A: [Where do we meet?|Where shall I wait?]
?B: [At the {town}.|In front of the {town}.]
> {a} will ride with {b} to {city} on {day} for {amount} euros.
> {b} takes {a} along to {city} at {hour} for {amount} euros.
- car-full
B: [My car is full. Take the train at {hour}.|I have no seat left. There is a train at {hour}.|{c} and {d}
  come along, so it is full. Try the train at {hour}.]
A: [Okay, I will take the train.|Fine, I like trains.|Good idea, I'll do that.]
> The car of {b} is full, so {a} will take the train to {city} at {hour}.
> {a} will go to {city} by train because {b} has no free seat.

## rent-room
A: [Is the room in your flat still free?|I saw that you have a free room.|I am looking for a room. Is yours
  free?]
+ visit
B: [Yes, it costs {amount} euros a week.|It is free, for {amount} euros a week.|It is. We want {amount}
  euros a week.]
A: [Can I see it on {day}?|That is good. May I come on {day}?|Okay, can I look at it on {day}?]
B: [Sure, come at {hour}.|Yes, at {hour}.|I am home at {hour}.]
> {a} will look at the room of {b} on {day} at {hour}.
> {b} has a room for {amount} euros, which {a} will see on {day}.
- taken
B: [Sorry, {c} took it on {day}.|It is gone, {c} will move in on {day}.|No, I gave it to {c}, who moves in
  on {day}.]
?A: [Do you know of another one?|That was fast!]
?B: [There is one near the {town}.|Look at the wall in the {town}.]
> The room is not free because {c} took it.
> {a} is too late for the room of {b}, which went to {c}.

## wedding
A: [{c} and {d} are getting married in {month}!|Did you hear? {c} will marry {d} in {month}.|{c} and {d}
  will marry in {month}!]
?B: [Oh, how sweet!|At last!]
+ both-go
B: [I know! What will you wear?|Yes, I am invited. What will you wear?|I heard it. Do you have something to
  wear?]
A: [A {colour} {clothes}.|I bought a {colour} {clothes}.|My {colour} {clothes}, I think.]
> {a} will wear a {colour} {clothes} to the wedding of {c} and {d}.
> {c} and {d} will marry in {month}, and {a} has a {colour} {clothes} for it.
- cannot-go
B: [I can't go, I will be in {city}.|What a pity, I work in {city} then.|Oh no, I am in {city} all {month}.]
A: [Send them a {present}.|You could give them a {present}.|Then just send a {present}.]
?B: [I will do that.|They would like that.]
> {b} will be in {city} during the wedding of {c} and {d}.
> {b} cannot go to the wedding in {month} and [should|may] send a {present}.

## bike-stolen
A: [Somebody took my bike at the {town}!|My bike was stolen from the {town}!|I left my bike at the {town},
  and now it is gone!]
B: [Oh no! Was it locked?|That is terrible! Which bike?|Not the {colour} one?]
A: [It was the {colour} one from {c}.|Yes, the {colour} one that {c} gave me.|My {colour} one, from {c}.]
+ was-borrowed
B: [Wait, {d} borrowed it until {hour}!|I saw {d} on it! Back at {hour}.|{d} has it and will be here at
  {hour}.]
?A: [Why did nobody tell me?|What a relief!]
> {d} borrowed the {colour} bike of {a} and will be back at {hour}.
> The bike of {a} was not stolen but borrowed by {d}.
- police
B: [You should tell the police. I can lend you mine.|Go to the police. You can have my bike until
  {day}.|Tell the police. Mine is free until {day}.]
A: [I will go there at {hour}.|Okay, I'll be there at {hour}.|They are open until {hour}, so I will go.]
> The {colour} bike of {a} was stolen, and {b} offers another one.
> {a} will tell the police about the stolen bike, and {b} lends {a} one.

## recipe
A: [How do you make your {dish}?|Can you tell me how to make {dish}?|I loved your {dish}! What is in it?]
+ tells
B: [The secret is {grocery} and some {fruit}.|I always add {grocery} and a few {fruit}.|You need {grocery}
  and {fruit} for it.]
?A: [And how long does it cook?|How long must I wait?]
?B: [About {amount} minutes.|Around {amount} minutes.]
> {b} tells {a} that the {dish} is made with {grocery} and {fruit}.
> {b} tells {a} to put {grocery} and {fruit} into the {dish}.
- secret
B: [My {relative} made me promise not to tell.|It is a secret of my {relative}.|I can't say it, my
  {relative} would be angry.]
A: [Then cook it for me on {day}!|Okay, but make it again on {day}.|Please bring some on {day}, then.]
?B: [That I can do.|I will make a lot of it.]
> {b} keeps the {dish} a secret, and {a} wants some on {day}.
> {b} will not tell {a} how to make {dish} because of a {relative}.

## library-fine
A: [I want to bring back this book about {subject}.|I am bringing back a book about {subject}, but I am
  late.|This book about {subject} should have been back on {day}.]
B: [It is {number} days late.|You are {number} days late.|We wanted it back {number} days ago.]
+ no-fine
A: [I was ill. Do I have to pay?|Sorry, my {relative} was ill.|I was in {city}. Must I pay a lot?]
B: [Then you need not pay.|All right, no money this time.|It's okay, you pay nothing.]
> {a} is {number} days late with a book about {subject} but need not pay.
> {b} takes the book about {subject} from {a} and wants no money.
- fine
A: [How much is it?|What do I have to pay?|Does that cost something?]
B: [{amount2} euros, please.|That makes {amount2} euros.|You have to pay {amount2} euros.]
?A: [So much! Here you are.|Oh! I will never be late again.]
> {a} has to pay {amount2} euros for a late book about {subject}.
> The book about {subject} is {number} days late and costs {a} {amount2} euros.

## school-play
A: [Our school puts on a play on {day}. Are you coming?|I am in a play on {day}! Will you watch it?|Please
  come to our school play on {day}!]
B: [Who do you play?|What is your part?|Are you the hero?]
A: [I am a {job} with a {pet}.|I play a {job} from {city}.|I am the {colour} {job}.]
+ comes
B: [I must see that! I'll bring {c}.|How funny! {c} and I will come.|Keep two seats for me and {c}.]
?A: [It starts at {hour}.|We begin at {hour}.]
> {b} and {c} will see {a} as a {job} in the play on {day}.
> {a} plays a {job} on {day}, and {b} will come with {c}.
- sends-other
B: [I can't, but {c} will make a film of it.|I have to work. {c} can come.|Sorry, I am away. {c} will go for
  me.]
A: [Then you will hear all from {c}.|Okay, I will keep a seat for {c}.|Good, I like {c}.]
> {b} cannot see the play of {a} on {day}, but {c} will go.
> {c} will watch {a} as a {job} because {b} has no time on {day}.

## power-cut
A: [Do you have light? It is dark in my flat.|All my lights went out at {hour}!|There is no power in my
  house.]
+ has-power
B: [Yes, I have. Come over and bring {food}.|It works here. You can stay with me.|I have light. Come here if
  you like.]
A: [Thanks! I will bring {food} and {drink}.|Good, I'll take {food} and {drink} along.|I have {food} and
  {drink} that we can share.]
> {a} has no power and will go to {b} with {food} and {drink}.
> {b} has light, so {a} will come over and bring {food} and {drink}.
- all-dark
B: [It is dark here, too. They say until {hour2}.|Same here. It should be back at {hour2}.|The whole street
  is dark until {hour2}.]
A: [Do you have a lamp?|I need a lamp!|I can't find my lamp.]
B: [I have one in the {home}.|Yes, I will give you mine from the {home}.|There is one in your {home}.]
> There is no power for {a} and {b} until {hour2}.
> The lights of {a} and {b} will be out until {hour2}.

## camping
A: [We are going camping near {city} on {day}. Do you have a tent?|I need a tent for {day}. We camp near
  {city}.|Could I use your tent on {day}? We go to {city}.]
?B: [Who is going?|With whom?]
?A: [{c} and {d}.|Just {c} and me.]
+ gives-tent
B: [Yes, it is for {number} people.|You can have it. There is room for {number}.|Sure, {number} people can
  sleep in it.]
A: [I will fetch it at {hour}.|Can I come at {hour}?|Great! I'll be at your door at {hour}.]
> {b} lends {a} a tent for {number} people.
> {a} will fetch the tent of {b} at {hour} to go camping near {city}.
- cold
B: [It is too cold! Take a room in {city}.|It will snow. You should get a room.|In this cold? Sleep in a
  house!]
A: [You may be right. We will wait until {month}.|Hmm, then we'd better go in {month}.|Okay, we can camp in
  {month}.]
> It is too cold for camping, so {a} will wait until {month}.
> {b} tells {a} not to camp in the cold, and {a} will go in {month}.

## phone-repair
A: [My phone fell into the {drink}!|I dropped my phone, and the glass broke.|My phone does not turn on
  anymore.]
B: [Show it to me. Yes, I see.|Oh, that does not look good.|Let me look at it.]
+ repairable
A: [Can you fix it by {day}?|I need it on {day}. Is that possible?|Will it be done on {day}?]
B: [Yes, for {amount} euros.|I think so. It will be {amount} euros.|Sure, that makes {amount} euros.]
> {b} will repair the phone of {a} by {day} for {amount} euros.
> The phone of {a} will be fixed on {day} and costs {amount} euros.
- beyond-repair
A: [Is it dead?|Can you save it?|Can it be fixed?]
B: [No. But I have an old one for {amount} euros.|I'm afraid not. I can sell you this one for {amount}
  euros.|Sorry, no. Here is a {colour} one for {amount} euros.]
A: [I will take it.|Okay, I need one today.|That is good, I'll buy it.]
> {a} buys another phone for {amount} euros because the old one is dead.
> {b} cannot fix the phone and sells {a} one for {amount} euros.
"""
