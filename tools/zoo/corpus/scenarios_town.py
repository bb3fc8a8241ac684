"""Scenarios in town: shops, doctors, neighbours (notation: scenario.py)."""

TEXT = """
## doctor-visit
A: [I need to see the doctor.|Can I see the doctor this week?|I would like to see the doctor soon.]
B: [We have {day} at {hour}. Is that fine?|You could come on {day} at {hour}.|There is a free place on {day}
  at {hour}.]
+ accepts
A: [Yes, thank you. I will be there.|That is good, I'll take it.|Perfect, I will come then.]
?B: [Please bring your papers.|Please be here a little early.]
> {a} will see the doctor on {day} at {hour}.
> {b} gives {a} a place at the doctor on {day} at {hour}.
- other-time
A: [I have to work then. Is {day2} free?|That is too early. What about {day2}?|Not on {day}, please. On
  {day2}?]
B: [Yes, on {day2} at {hour2}.|We have {hour2} on {day2}.|{day2} at {hour2} is free.]
> {a} cannot come on {day} and will see the doctor on {day2} at {hour2}.
> {a} will go to the doctor on {day2} at {hour2} instead of {day}.

## return-clothes
A: [I bought this {colour} {clothes}, but it does not fit.|This {colour} {clothes} is too small for me.|The
  {colour} {clothes} I bought has a hole.]
B: [I am sorry. When did you buy it?|Oh, did you buy it here?|May I see it? When was that?]
A: [On {day}. Here is the receipt.|Last {day}, I think.|I got it on {day}.]
+ refund
B: [Then you get your {amount} euros back.|I can give you back the {amount} euros.|No problem, here are
  {amount} euros.]
> {a} brings back a {colour} {clothes} and gets {amount} euros.
> {b} gives {a} {amount} euros back for the {clothes} bought on {day}.
- exchange
B: [We have it in {colour2}. Would you like that?|I can only change it for a {colour2} one.|I have a bigger
  one in {colour2}.]
A: [Yes, {colour2} is nice as well.|Okay, I will take the {colour2} one.|Good, {colour2} is even better.]
> {a} brings back a {colour} {clothes} and takes a {colour2} one instead.
> {b} changes the {colour} {clothes} of {a} for a {colour2} one.

## ask-the-way
A: [Excuse me, how do I get to the {town}?|where is the {town}, please?|Sorry, do you know the way to the
  {town}?]
+ knows
B: [Go past the {town2} and turn left.|It is right behind the {town2}.|Walk to the {town2}. It is next to it.]
?A: [Is it far?|How long does it take?]
?B: [About {number} minutes on foot.|No, just {number} minutes.]
> {b} tells {a} that the {town} is [close to|near] the {town2}.
> {a} asks for the way to the {town} and must [walk|go] to the {town2}.
- stranger
B: [I am not from here, sorry. Ask at the {town2}.|I have no idea. They may know it at the {town2}.|I am new
  in town. You could ask at the {town2}.]
?A: [Okay, I will try that.|Good idea, I'll go there.]
> {b} does not know where the {town} is and sends {a} to the {town2}.
> {a} is looking for the {town} and should ask at the {town2}.

## sell-bike
A: [Is your {tool} still for sale?|I saw that you sell a {tool}.|Do you still have the {tool}? I would like
  to buy it.]
B: [Yes, it costs {amount} euros.|Yes. I want {amount} euros for it.|It is still here, for {amount} euros.]
+ buys
A: [That is fair. I can come on {day}.|Good, I will take it on {day}.|Okay! Can I pick it up on {day}?]
?B: [Yes, I am home all day.|Sure, my door is open.]
> {a} will buy the {tool} of {b} for {amount} euros on {day}.
> {b} sells a {tool} to {a} for {amount} euros.
+ bargains
A: [Would you take {amount2}?|That is too much. I can pay {amount2}.|I only have {amount2} euros.]
B: [Okay, {amount2} it is.|Fine, because you ask so nicely.|All right, {amount2}, but come today.]
> {a} will get the {tool} for {amount2} euros instead of {amount}.
> {b} wanted {amount} euros for a {tool} but takes {amount2}.
- too-much
A: [No, that is too much for me.|Oh, I can't pay that.|I can get a new one for that!]
?B: [Then I will sell it to {c}.|{c} wants it anyway.]
> {a} does not buy the {tool} because {amount} euros is too much.
> {b} wants {amount} euros for a {tool}, which is too much for {a}.

## lost-pet
A: [My {pet} ran away this morning!|I cannot find my {pet} anywhere!|Have you seen my {pet}? It is gone.]
B: [What does it look like?|Oh no! Which one is it?|Is it the big one?]
A: [It is {colour} with a {colour2} nose.|A {colour} one with {colour2} feet.|It is small and {colour}, with
  a {colour2} back.]
+ seen
B: [I saw it at the {town}!|It was at the {town} at {hour}.|I think it is sitting at the {town}.]
?A: [I'm running there now!|Thank you, I will go right away!]
> The {colour} {pet} of {a} ran away, and {b} saw it at the {town}.
> {b} saw the missing {pet} of {a} at the {town}.
- helps-search
B: [I have not seen it, but I will help you look.|No, but let's look for it together.|Sorry, no. Shall I
  help you look?]
A: [Yes, let's meet at the {town}.|That is kind. Come to the {town}.|Please! I will start at the {town}.]
> {b} will help {a} look for the {colour} {pet} at the {town}.
> {a} lost a {colour} {pet} and will look for it with {b}.

## parcel
A: [Did a parcel come for me today?|I am waiting for a parcel. Have you got it?|Someone left a note about a
  parcel. Is it with you?]
+ has-it
B: [Yes, I have it. You can get it until {hour}.|It is here. I am home until {hour}.|I took it for you. Come
  before {hour}.]
?A: [Great, it is a {present} for {c}.|It must be the {present} for {c}.]
> {b} has a parcel for {a}, who can get it until {hour}.
> {a} can pick up the parcel from {b} before {hour}.
- elsewhere
B: [No, I think {c} has it.|They gave it to {c} on the {ordinal} floor.|I was out, but {c} took something.]
A: [Okay, I will ring there at {hour}.|Good, I'll go and ask at {hour}.|Then I will try {c} at {hour}.]
> {b} does not have the parcel, so {a} will ask {c} at {hour}.
> {c} seems to have the parcel, and {a} will ask at {hour}.

## haircut
A: [I would like a haircut on {day}.|Can you cut my hair on {day}?|Do you have time for my hair on {day}?]
+ booked
B: [Yes, {hour} is free.|Sure, come at {hour}.|You can have {hour}.]
A: [Good. I also want it {colour}.|Fine! And please make it {colour}.|Great, and can it be {colour}?]
?B: [Sure, that takes an hour more.|I think that will look nice.]
> {a} will have a haircut on {day} at {hour} and wants {colour} hair.
> {b} will cut the hair of {a} on {day} and make it {colour}.
- closed
B: [We are closed on {day}. Come on {day2}.|Sorry, only {day2} is free.|On {day} we are full, but not on
  {day2}.]
A: [Okay, {day2} at {hour}?|Then {day2} at {hour}, please.|Is {hour} on {day2} possible?]
B: [Yes, I will write it down.|Sure, see you then.|That is fine.]
> {a} cannot come on {day} and gets a haircut on {day2} at {hour}.
> {b} will cut the hair of {a} on {day2} at {hour}.

## taxi
A: [I need a taxi to the {town}, please.|Can you send a car? I must go to the {town}.|a taxi to the {town},
  please.]
B: [For how many people, and when?|When do you want to leave?|Sure. What time?]
A: [We are {number}, at {hour}.|At {hour}, for {number} people.|For {number} people at {hour}, please.]
+ comes
B: [A {colour} car will be there.|Okay, look for a {colour} car.|Good, we will send a {colour} car.]
> A {colour} taxi will take {a} to the {town} at {hour}.
> {b} sends a {colour} car at {hour} that takes {a} to the {town}.
- none-free
B: [Nothing is free before {hour2}.|All our cars are out until {hour2}.|I only have a car at {hour2}.]
A: [That is too late, we will walk.|Then we will walk.|No, thank you. We can walk.]
> There is no taxi before {hour2}, so {a} will walk to the {town}.
> {a} will walk to the {town} because {b} has no car before {hour2}.

## bakery-order
A: [I would like to order a cake for {day}.|Can you bake a cake for {day}?|I need a big cake on {day}.]
B: [What should be on it?|With which fruit?|Which kind do you like?]
A: [With {fruit}, please.|I would like {fruit} on it.|{fruit}! {c} loves {fruit}.]
+ ordered
B: [That costs {amount} euros.|Good. That will be {amount} euros.|It will be ready, for {amount} euros.]
> {a} orders a cake with {fruit} for {day}, which costs {amount} euros.
> {b} will bake a cake with {fruit} for {a} for {amount} euros.
- changed-fruit
B: [There are no {fruit} in {month}. We have {fruit2}.|Sorry, no {fruit}. Would {fruit2} be okay?|I am out
  of {fruit}, but I have {fruit2}.]
A: [Then take {fruit2}.|Sure, {fruit2} are fine.|{fruit2} are good as well.]
> {a} wanted {fruit} on the cake but takes {fruit2}.
> {b} will bake a cake with {fruit2} for {a} because there are no {fruit}.

## hotel-room
A: [Do you have a room from {day} to {day2}?|I need a room from {day} until {day2}.|Is there a free room
  from {day} to {day2}?]
?B: [For how many people?|Are you alone?]
?A: [For me and {c}.|Just me and my {relative}.]
+ room
B: [Yes, on the {ordinal} floor for {amount} euros.|We have one for {amount} euros on the {ordinal}
  floor.|There is a quiet one for {amount} euros on the {ordinal} floor.]
A: [Good, I will take it.|I'll have that one.|That is fine for us.]
> {a} takes a room for {amount} euros on the {ordinal} floor from {day}.
> From {day} to {day2}, {a} has a room on the {ordinal} floor.
- full
B: [No, we are full. Try the house at the {town}.|Sorry, nothing is left. Ask at the {town}.|We are full,
  but there is one near the {town}.]
?A: [Okay, I will call them.|Thanks, I'll go there.]
> {b} has no free room, so {a} should try near the {town}.
> {a} cannot get a room from {day} to {day2} and is sent to the {town}.

## car-repair
A: [My car makes a strange noise.|There is something wrong with my car.|My car does not start.]
B: [Bring it to me on {day}.|I can look at it on {day}.|Can you bring it on {day}?]
+ fixable
A: [Yes. What will it cost?|Okay. How much will that be?|Good. Is it expensive?]
B: [About {amount} euros.|Not more than {amount} euros.|I think {amount} euros.]
> {b} will look at the car of {a} on {day} for about {amount} euros.
> {a} will bring a broken car to {b} on {day} and pay {amount} euros.
- needs-sooner
A: [I need it before that, for {city}.|That is too late. I drive to {city} this week.|No, I must be in
  {city} before {day}.]
B: [You can take my {colour} car.|Then I can lend you a {colour} car.|I have a {colour} car you may use.]
> {b} lends {a} a {colour} car for the trip to {city}.
> {a} will drive to {city} in a {colour} car lent by {b}.

## flea-market
A: [Are you going to sell things at the {town} on {day}?|There is a flea market at the {town} on {day}.|I
  have a table at the {town} market on {day}.]
+ sells
B: [Yes, I want to sell my old {furniture}.|I could sell my {furniture} there.|Good, I can get rid of my
  {furniture}.]
A: [For how much?|What do you want for it?|How much is it?]
B: [Only {amount} euros.|I hope for {amount} euros.|Maybe {amount} euros.]
> {b} wants to sell a {furniture} at the {town} for {amount} euros.
> On {day}, {b} will try to get {amount} euros for a {furniture}.
- only-looks
B: [No, but I am looking for a {tool}.|I will just come to find a {tool}.|I don't sell, but I need a {tool}.]
A: [{c} is selling one!|I think {c} has one.|Ask {c}, who sells a lot.]
> {b} is looking for a {tool} at the market, and {c} may have one.
> {a} says that {c} [sells|has] a {tool}, which {b} is looking for.

## language-lesson
A: [Could you help me with {subject}?|I need lessons in {subject}.|Do you teach {subject}? I have a test on
  {day}.]
+ teaches
B: [Sure, I take {amount} euros an hour.|Yes. One hour is {amount} euros.|Gladly, for {amount} euros an hour.]
A: [Good, can we start on {day2}?|That is okay. Is {day2} good?|Fine. Let's start on {day2}.]
> {b} will teach {a} {subject} for {amount} euros an hour from {day2}.
> {a} will have lessons in {subject} with {b}, starting on {day2}.
- names-other
B: [My {subject} is bad. {c} is much better.|I only teach {subject2}. Try {c}.|No, but {c} teaches that.]
?A: [Do you have the number of {c}?|How can I find {c}?]
?B: [You will find {c} at the {town}.|Yes, I will send it to you.]
> {b} cannot teach {a} {subject} and suggests {c}.
> {a} needs help with {subject} and should ask {c}.
"""
