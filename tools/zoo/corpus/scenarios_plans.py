"""Scenarios about meeting, trips and free time (notation: scenario.py)."""

TEXT = """
## meet-for-drink
A: [Shall we meet for {drink} on {day}?|Do you have time for a cup of {drink} on {day}?|I would love to have
  a {drink} with you on {day}.]
+ accepts
B: [Yes! At {hour} at the {town}?|Sure, let's say {hour} at the {town}.|I'd love to. The {town} at {hour}?]
A: [Perfect.|That is good for me.|Great, I will be there.]
> {a} and {b} will meet for {drink} at the {town} on {day} at {hour}.
> {a} is meeting {b} on {day} at {hour} at the {town}.
- other-day
B: [I am busy on {day}. Is {day2} okay?|I can't, sorry. How about {day2}?|{day} is bad. I am free on {day2}.]
A: [Yes, {day2} is fine.|{day2} works for me too.|Okay, {day2} then.]
> {b} is busy on {day}, so {a} and {b} will meet on {day2}.
> {a} and {b} will have {drink} on {day2} instead of {day}.
+ time-changed
B: [Yes, at {hour}.|Good idea. At {hour}?|I can be there at {hour}.]
?A: [Okay!|Fine with me.]
B: [Oh, I have work until then. Make it {hour2}.|Sorry, {hour2} is better for me.|No, wait. Could we say
  {hour2}?]
A: [{hour2} is okay.|Sure, {hour2} then.|No problem, see you at {hour2}.]
> {a} and {b} will meet for {drink} on {day} at {hour2}.
> On {day} at {hour2}, {a} and {b} will have {drink} together.

## cinema
A: [Do you want to see a film with me on {day}?|There is a new film on {day}. Are you coming?|Cinema on
  {day}?]
?B: [What is it about?|Which one?]
?A: [It is about a {job} in {city}.|The one with the {job} and the {pet}.]
+ accepts
B: [Sounds great! I will get tickets for {hour}.|Yes! Let's go at {hour}.|I'm in. Is {hour} good?]
?A: [Good, I will bring snacks.|I will wait in front of the door.]
> {a} and {b} will see a film on {day} at {hour}.
> {b} will go to the cinema with {a} on {day} at {hour}.
- seen
B: [I saw it with {c} last week.|{c} took me there already.|Sorry, I have seen it with {c}.]
A: [Oh! Was it any good?|Too bad. Did you like it?]
B: [No, it was boring.|Not really, I fell asleep.|It was much too long.]
> {b} saw the film with {c} and did not like it.
> {a} wants to see a film, but {b} has seen it with {c} [and found it dull|and did not enjoy it].

## picnic
A: [Let's have a picnic at the {town} on {day}!|I am planning a picnic on {day} at the {town}.|Are you free
  for a picnic at the {town} on {day}?]
+ brings
B: [Yes! I will bring {fruit}.|I'd love that. Shall I bring {fruit}?|Great, I have {fruit} from my garden.]
A: [Good. I'll make {food}.|Then I will bring {food}.|And I can make {food}.]
> For the picnic on {day}, {b} will bring {fruit} and {a} will make {food}.
> {a} and {b} will have a picnic at the {town} with {fruit} and {food}.
- rain
B: [They say it will rain on {day}.|It looks like rain, I'm afraid.|Did you see the weather? It will rain.]
A: [Then let's do it on {day2}.|Okay, we can move it to {day2}.|Oh no. How about {day2}?]
?B: [Good, it should be sunny then.|Yes, that is better.]
> Because of the rain, {a} and {b} will have the picnic on {day2}.
> The picnic of {a} and {b} moves from {day} to {day2} because of rain.

## train-pickup
A: [My train gets in at {hour}. Can you pick me up?|I arrive at {hour}. Could you fetch me from the
  station?|I will be at the station at {hour}. Can you get me?]
+ picks-up
B: [Sure, I will wait by the {colour} clock.|Yes, I'll be there in my {colour} car.|Of course. Look for a
  {colour} car.]
> {b} will pick {a} up at the station at {hour}.
> {a} arrives at {hour} and will be fetched by {b}.
- bus
B: [I am at work, sorry. Take bus {number}.|I have no car today. Bus {number} comes right here.|I can't, but
  bus {number} stops at my door.]
A: [Okay, bus {number}. I can do that.|No problem, I like the bus.|Fine, see you at home.]
> {b} cannot pick {a} up, so {a} will take bus {number}.
> {a} will take bus {number} from the station because {b} [cannot come|is not free].
+ late
B: [Yes, I will be there.|Of course I can.|Sure, no problem.]
A: [The train is late. I will be there at {hour2}.|Sorry, now they say {hour2}.|We stopped on the way, so it
  will be {hour2}.]
?B: [No problem, I will read a book.|Okay, thanks for telling me.]
> The train of {a} is late, and {b} will be at the station at {hour2}.
> {b} will pick {a} up at {hour2} because the train is late.

## sport-match
A: [Do you want to play {sport} on {day}?|We need one more for {sport} on {day}.|How about some {sport} on
  {day}?]
+ plays
B: [Yes! Where do we meet?|I'm in. Where is it?|Gladly. Where?]
A: [At the {town} at {hour}.|We meet at the {town} at {hour}.|Come to the {town} at {hour}.]
> {b} will play {sport} with {a} on {day} at {hour}.
> {a} and {b} will meet at the {town} on {day} to play {sport}.
- injured
B: [I hurt my knee, I can't.|My foot still hurts from last time.|The doctor told me to rest my leg.]
?A: [Oh no! How did that happen?|Poor you! Was it bad?]
B: [Ask {c} instead.|But {c} would love to play.|{c} is looking for a game, though.]
> {b} is hurt and cannot play {sport}, so {a} should ask {c}.
> {a} needs a partner for {sport} on {day}, and {b} names {c}.

## trip-city
A: [I am thinking of a trip to {city} in {month}. Join me?|Would you come to {city} with me in
  {month}?|Let's travel to {city} in {month}!]
+ joins
B: [Yes! Let's go by train and stay {number} days.|I would love to. {number} days?|Great idea! I can take
  {number} days off.]
?A: [I will look for a room.|I'll book it tonight.]
> {a} and {b} will go to {city} in {month} for {number} days.
> {b} will join {a} on a trip to {city} for {number} days in {month}.
- other-city
B: [{city} is too hot in {month}. Why not {city2}?|I was there with {c}. I'd rather see {city2}.|I prefer
  {city2}. It costs less.]
A: [{city2} sounds good too!|Okay, {city2} then.|Why not? I have never been there.]
> {a} and {b} will travel to {city2} instead of {city}.
> {a} suggests {city}, but they agree on a trip to {city2} in {month}.
- no-money
B: [I have to save money for a {furniture}.|I can't pay for it. I just bought a {furniture}.|My {furniture}
  cost too much. I have no money.]
?A: [Maybe next year, then.|What a shame!]
> {b} cannot go to {city} because a {furniture} costs too much.
> {a} asks {b} to come to {city}, but {b} has no money after buying a {furniture}.

## concert-ticket
A: [I have two tickets for a concert on {day}.|I won two tickets for the concert on {day}!|{c} gave me two
  tickets for a concert on {day}.]
?A: [Do you want to come?|Would you like one?|Are you free?]
+ accepts
B: [Wow, yes! What does it cost?|Of course! How much is it?|I'd love to. What do I owe you?]
A: [Nothing, just pay for the drinks.|It's free. You can buy me dinner.|It is a present!]
> {a} [takes|invites] {b} to a concert on {day} for free.
> {b} will go to the concert with {a} on {day} and pays nothing.
- busy
B: [I have to work on {day}. Ask {d}.|I am with my {relative} on {day}. Maybe {d} can come.|Sorry, I can't.
  {d} loves concerts, though.]
A: [Good idea, I will ask {d}.|Okay, then I'll take {d}.|I will call {d} right now.]
> {b} is busy on {day}, so {a} will ask {d} to come to the concert.
> {a} will offer the ticket to {d} because {b} cannot come on {day}.

## running-late
A: [Where are you? We said {hour}.|I am here at the {town}. Are you coming?|It is {hour} and you are not
  here.]
+ soon
B: [Sorry, the bus was late. I need {number} minutes.|I missed my bus. {number} minutes, please!|I'm on my
  way, {number} more minutes.]
?A: [Okay, I will wait inside.|No problem, I'll get a coffee.]
> {b} is late and will be there in {number} minutes.
> {a} is waiting for {b}, who needs {number} more minutes.
- forgot
B: [Oh no, I forgot! I am still in bed.|Was that today? I thought it was {day}!|I am so sorry, I mixed up
  the days.]
A: [Then let's meet on {day} at {hour2}.|Let's try again on {day} at {hour2}.|Really? Then {day} at {hour2},
  and don't be late.]
?B: [I promise to be there.|This time I will write it down.]
> {b} forgot the meeting, and {a} wants to meet on {day} at {hour2}.
> {a} and {b} will try again on {day} at {hour2} because {b} forgot.

## restaurant-booking
A: [Can you book a table for {number} on {day}?|We need a table for {number} on {day}.|Did you book a table
  for {number} people on {day}?]
+ booked
B: [Done! It is at {hour} under my name.|Yes, I got one at {hour}.|I just called. We have it at {hour}.]
> {b} booked a table for {number} on {day} at {hour}.
> {a} and {b} have a table for {number} people on {day} at {hour}.
- full
B: [They are full on {day}. Only {day2} is free.|No luck, there is nothing before {day2}.|They only have a
  table on {day2}.]
A: [Then take {day2}, please.|Okay, {day2} is good too.|Fine, I will tell {c} that it is {day2}.]
> The restaurant is full, so {a} and {b} will go on {day2}.
> {b} can only get a table for {number} on {day2}, and {a} agrees.
+ one-more
B: [Yes, at {hour} for {number}.|I did. They expect us at {hour}.|All done, at {hour}.]
A: [{c} is coming too. Make it {number2}.|Sorry, more guests! It is {number2} now.|Can you change it to
  {number2} people?]
B: [Okay, {number2} then.|I will call them again.|Sure, that should work.]
> {b} will change the table on {day} to {number2} people.
> {a} and {b} need a table for {number2} on {day} at {hour}.

## garden-party
A: [You are invited to my garden party on {day}!|I am having people over on {day}. Will you come?|Come to my
  garden on {day}, there will be {food}!]
+ comes-with
B: [Can I bring {c}?|Sounds lovely! May {c} come too?|Is it okay if {c} comes along?]
A: [Of course, the more the better!|Sure, I like {c}.|Yes, bring {c}. We start at {hour}.]
> {b} will come to the party of {a} on {day} and bring {c}.
> {a} invites {b} on {day}, and {c} may come too.
- cannot
B: [I am in {city} on {day}.|I have to be in {city} with {c} then.|What a pity, I fly to {city} that day.]
?A: [We will miss you!|Then we will keep some {food} for you.]
> {b} cannot come to the party on {day} because of a trip to {city}.
> {a} invites {b} to a party, but {b} will be in {city} on {day}.

## hiking
A: [Are you coming on the walk to the lake on {day}?|{c} and I will walk around the lake on {day}. Join
  us!|We are going to the lake on {day}. Want to come?]
B: [How far is it?|How long is the way?|Is it hard?]
A: [About {number} hours.|We need about {number} hours.|It takes {number} hours, with breaks.]
+ joins
B: [I can do that. When do we start?|Good, I am coming. What time?|Okay, I will buy new shoes. When?]
A: [We start at {hour}.|At {hour} from my place.|Early, at {hour}.]
> {b} will join {a} for a walk of {number} hours on {day} at {hour}.
> {a} and {b} will start their walk to the lake on {day} at {hour}.
- too-long
B: [That is too much for me.|Oh, that is too long for my legs.|No, thank you! I will stay at home.]
?A: [You could take the bus and meet us there.|Next time we take a short one.]
> {b} will not come on the walk because {number} hours is too long.
> The walk of {a} on {day} takes {number} hours, which is too long for {b}.

## book-club
A: [Did you finish the book for {day}?|How do you like the book for our club?|Have you read the book yet? We
  meet on {day}.]
+ liked
B: [Yes, I loved the part with the {job}.|I finished it. The {job} was so funny!|It was great, above all the
  {job}.]
?A: [Me too! I read it twice.|I liked the end best.]
> {b} has read the book for the club and liked the {job}.
> {b} tells {a} that the {job} in the book was [great|the best part].
- not-read
B: [No, I only read {number} pages.|I stopped after {number} pages. It is so slow.|Not really. I am on page
  {number}.]
A: [Then hurry, we meet on {day}!|You have until {day}.|Well, {day} is our meeting.]
> {b} has only read {number} pages of the book for {day}.
> The book club of {a} and {b} meets on {day}, but {b} has read just {number} pages.

## swimming
A: [It is so hot. Shall we go swimming at {hour}?|Do you want to go to the lake at {hour}?|I want to swim.
  Are you coming at {hour}?]
+ goes
B: [Yes, I will bring {drink} and {fruit}.|Good idea! I have {fruit} and cold {drink}.|Sure. I'll pack
  {fruit} and some {drink}.]
> {a} and {b} will go swimming at {hour}, and {b} brings {fruit} and {drink}.
> {b} will go swimming with {a} at {hour} and bring {drink} and {fruit}.
- later
B: [I have to work until {hour2}. Can you wait?|My class ends at {hour2}. After that?|Not before {hour2},
  sorry.]
A: [Okay, then at {hour2}.|Sure, I can wait until {hour2}.|{hour2} is fine, it will still be warm.]
> {a} and {b} will go swimming at {hour2} because {b} is busy before that.
> {b} is busy, so {a} will wait and go swimming at {hour2}.

## return-book
A: [Do you still have my {thing}?|Could you give me back my {thing}?|I need my {thing} back. You borrowed it.]
+ returns
B: [Yes, I will bring it on {day}.|Of course! You get it back on {day}.|Sorry, I forgot. I'll bring it on
  {day}.]
> {b} will bring back the {thing} of {a} on {day}.
> {a} will get the {thing} back from {b} on {day}.
- gave-away
B: [I gave it to {c}. Didn't you get it?|But {c} took it to you last week.|{c} wanted to give it to you.]
A: [No, {c} never told me.|I have not seen {c} since {day}.|Strange, I will ask {c}.]
> {b} gave the {thing} to {c}, but {a} never got it.
> {a} wants the {thing} back, but {b} gave it to {c}.

## video-call
A: [Can we talk on the phone on {day}?|Let's have a call on {day} about the trip.|I have news! Can I call
  you on {day}?]
+ agreed
B: [Yes, call me at {hour}.|Sure, {hour} is good.|I am free at {hour}.]
?A: [My news is about {c}!|You will not believe what {c} did!]
> {a} will call {b} on {day} at {hour}.
> {b} and {a} will talk on {day} at {hour}.
- zone
B: [I am in {city} now. It is late here. Can you call at {hour}?|I live in {city} now, so please call at
  {hour}.|From {city}, only {hour} works.]
A: [Oh, right. {hour} is fine.|Sure, I can do {hour}.|I forgot! Okay, {hour} then.]
> {b} is in {city}, so {a} will call on {day} at {hour}.
> {a} and {b}, who is in {city}, will talk on {day} at {hour}.
"""
