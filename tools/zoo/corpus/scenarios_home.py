"""Scenarios at home and among friends (notation: scenario.py)."""

TEXT = """
## borrow-tool
A: [Could I borrow your {tool} for a few days?|Can you lend me your {tool}? Mine is broken.|I need a {tool}.
  May I use yours?]
?B: [What do you need it for?|What are you working on?|Is it for the new flat?]
?A: [I am fixing something in the {home}.|I am helping {c} in the {home}.|There is a lot to do in the {home}.]
+ lends
B: [Sure, come and get it on {day}.|Of course. You can pick it up on {day}.|Yes, I can bring it over on
  {day}.]
?A: [Great, I will bring it back soon.|Perfect, I will be careful with it.]
> {b} will lend {a} the {tool} on {day}.
> {a} [needs|asks for] a {tool} and [gets|can have] the one of {b} on {day}.
> {a} wants to borrow a {tool}, and {b} agrees [to lend it|to help] on {day}.
- lent-out
B: [Sorry, I lent it to {c} last week.|I'm afraid {c} still has it.|I gave it to {c} on {day}, so it is not
  here.]
?A: [Then I will ask {c}.|Okay, I will call {c} about it.|Oh no. I hope {c} is done with it.]
> {a} cannot borrow the {tool} because {c} has it.
> {b} lent the {tool} to {c}, so {a} cannot have it now.
> {a} asks {b} for a {tool}, but it is [with {c}|at the house of {c}].
- broken
B: [Mine broke last {day}, I'm sorry.|It stopped working on {day}. I need a new one too.|Sorry, it has been
  broken since {day}.]
?A: [What a pity. I will buy one.|Never mind, I will rent one.]
> The {tool} of {b} has been broken since {day}, so {a} cannot borrow it.
> {a} wants to borrow a {tool}, but {b} [says that it broke|has a broken one] since {day}.

## lost-thing
A: [Have you seen my {thing}? I can't find it.|I lost my {thing}! Did you see it?|My {thing} is gone. Do you
  know where it is?]
B: [Where did you last have it?|When did you use it last?|Did you look in the {home}?]
A: [I think I had it at the {town}.|I was at the {town} this morning.|Maybe I left it at the {town}.]
+ found
B: [Wait, I see it in the {home2}!|I found it! It was in the {home2}.|Look in the {home2}. It is right there.]
?A: [You are the best!|Oh, what a relief!|How did it get there?]
> {a} lost a {thing}, but {b} found it in the {home2}.
> {b} finds the {thing} of {a} in the {home2}.
> The missing {thing} of {a} is in the {home2}[, as {b} sees|, says {b}].
- lost
B: [I have not seen it here. Call them.|It is not here, so you should go back.|Sorry, no. Ask the people
  there.]
A: [I will go back there at {hour}.|I'll call them at {hour}, then.|All right, I will ask there at {hour}.]
> {a} cannot find the {thing} and will ask at the {town} at {hour}.
> {b} has not seen the {thing} of {a}, who will try the {town} at {hour}.

## who-cooks
A: [Who is cooking tonight?|What are we eating tonight?|Do we have a plan for dinner?]
?B: [I thought it was your turn.|Good question, I am hungry too.]
A: [I could make {dish}.|How about {dish}? I can make it.|I would like to make {dish}.]
+ cooks
B: [Yes, please! I will buy {grocery} on the way.|Lovely. I'll bring some {grocery}.|Good, we only need
  {grocery}. I will get it.]
?A: [Dinner will be ready at {hour}.|Please be home by {hour}.]
> {a} will make {dish} for dinner, and {b} will buy {grocery}.
> {a} and {b} will have {dish} tonight, and {b} [gets|brings] the {grocery}.
> {b} will bring {grocery}, and {a} will cook {dish} [tonight|for dinner].
- other-dish
B: [Not again! Could we have {dish2}?|We had that on {day}. I would rather have {dish2}.|Hmm, I feel like
  {dish2} instead.]
A: [Fine, {dish2} it is.|Okay, then I will make {dish2}.|All right, {dish2} is good too.]
> {a} wants to cook {dish}, but {b} prefers {dish2}, so {a} will make that.
> {a} and {b} will have {dish2} instead of {dish} [tonight|for dinner].
+ eat-out
B: [Let's eat out with {c}. I will book for {hour}.|No cooking! {c} invited us out at {hour}.|We could go
  out with {c} at {hour}.]
?A: [Even better!|I like that idea a lot.|Good, then nobody has to wash up.]
> {a} and {b} will not cook but eat out with {c} at {hour}.
> Instead of cooking {dish}, {a} [joins|goes out with] {b} and {c} at {hour}.

## water-plants
A: [I will be away until {day}. Could you water my plants?|Can you look after my plants? I am in {city}
  until {day}.|I am off to {city} until {day}. Who can water my plants?]
+ agrees
B: [No problem. Where is the key?|Sure. How do I get in?|I can do it. Do you leave me a key?]
A: [It is with {c}.|{c} has it and knows you are coming.|You can get it from {c}.]
> {b} will water the plants of {a} until {day} and get the key from {c}.
> {a} is away until {day}, so {b} will water the plants. {c} has the key.
- declines
B: [Sorry, I am away too. Ask {c}.|I can't, but {c} has time.|I am in {city2} myself. What about {c}?]
A: [Good idea, I will ask {c}.|Okay, I'll write to {c} now.|Right, {c} lives close by.]
> {b} cannot water the plants of {a}, so {a} will ask {c}.
> {a} will ask {c} to water the plants because {b} [is away|has no time].

## pet-sitting
A: [Could you take my {pet} next {day}?|I need someone to look after my {pet} on {day}.|Do you have time for
  my {pet} on {day}?]
?B: [Where are you going?|Oh, are you going away?]
?A: [I have to visit {c} in {city}.|I am going to {city} with {c}.]
+ takes
B: [Gladly! Bring it over at {hour}.|Sure, I love your {pet}. Come at {hour}.|Yes, I am home from {hour}.]
> {b} will look after the {pet} of {a} on {day} from {hour}.
> {a} will bring the {pet} to {b} on {day} at {hour}.
- allergic
B: [I would, but {c} is ill after every visit of a {pet}.|Sorry, {c} lives here now and can't be near a
  {pet}.|I can't. {c} is scared of every {pet}.]
?A: [Oh, I did not know that.|I see. Then I will find someone else.]
> {b} cannot take the {pet} of {a} on {day} because of {c}.
> {a} needs help with a {pet} on {day}, but {b} says no because of {c}.
+ corrected-day
B: [Yes, {day} is fine.|On {day}? Sure.|I am free on {day}, so yes.]
A: [Wait, I got it wrong. It is {day2}.|Sorry, I mean {day2}.|Oh no, my trip is on {day2}, not on {day}.]
B: [That works as well.|{day2} is fine too.|No problem, then {day2}.]
> {b} will look after the {pet} of {a} on {day2}.
> {a} needs help with the {pet} on {day2}, and {b} agrees.

## broken-machine
A: [The washing machine is broken again.|Our washing machine makes a terrible noise.|The washing machine
  just stopped.]
B: [Not again! Did you call somebody?|Oh no, my clothes are in it! What now?|Can it be fixed?]
+ repair
A: [{c} will come and fix it on {day}.|I called {c}, who can come on {day}.|Yes, {c} comes on {day} to look
  at it.]
?B: [And what will it cost?|Is that expensive?]
?A: [About {amount} euros.|Around {amount} euros, I think.]
> {c} will come on {day} to fix the washing machine of {a} and {b}.
> The washing machine is broken, and {c} will repair it on {day}.
- new
A: [No, it is too old. We need a new one.|It is not worth it. Let's get a new one.|{c} says it is dead. We
  must buy another one.]
B: [Then let's go to the shop on {day}.|Okay, I have time for shopping on {day}.|All right, we can look for
  one on {day}.]
> {a} and {b} will buy a new washing machine on {day}.
> The washing machine [is dead|cannot be fixed], so {a} and {b} will get a new one on {day}.

## noise
A: [Sorry to bother you, but your music is very loud.|Could you please turn the music down?|Your
  {instrument} is so loud that I cannot sleep.]
+ stops
B: [I am so sorry! I will stop at once.|Oh, I did not notice. I'll stop now.|Sorry! I will be quiet from now
  on.]
?B: [I have a concert on {day}, you know.|I was getting ready for {day}.]
> {a} complains about the noise, and {b} [says sorry and stops|will stop at once].
> {b} was too loud for {a} and [promises to be quiet|will be quiet now].
- party
B: [It is the birthday of {c}. We stop at {hour}.|We have a party for {c}. It ends at {hour}.|{c} is leaving
  town, so we dance until {hour}.]
A: [Okay, but not any later!|Fine, but please close the windows.|All right, it is only one night.]
> {a} complains about the noise, but the party for {c} goes on until {hour}.
> {b} has a party for {c} until {hour}, and {a} accepts the noise.

## clean-flat
A: [The {home} is a mess. Can you clean it?|It is your turn to clean the {home}.|We must clean the {home}
  before {c} comes.]
+ will-clean
B: [You are right. I will do it on {day}.|Sorry! I'll clean it on {day}.|Yes, I planned to do that on {day}.]
?A: [Good, I will take out the rubbish.|Thanks, I can do the windows.]
> {b} will clean the {home} on {day}[, as {a} asks.| because {a} asks for it.]
> {a} wants a clean {home}, and {b} will do it on {day}.
- swap
B: [I worked all week. Can we swap?|I have an exam on {day}. Can you do it for me?|My back hurts. Could you
  do it this time?]
A: [Okay, but then you do the {home2}.|Only if you clean the {home2} next week.|Fine, and you take the
  {home2}.]
?B: [Deal!|That is fair.|It's a deal.]
> {a} will clean the {home}, and {b} will clean the {home2}.
> {a} and {b} swap: {b} takes the {home2}, and {a} the {home}.

## shopping-list
A: [I am at the shop. Do we need anything?|I am going shopping. What do we need?|What should I get at the
  shop?]
B: [We need {grocery} and {grocery2}.|Please get {grocery} and {grocery2}.|{grocery} and {grocery2}, please.]
+ buys
?A: [How much {grocery}?|Anything else?|Is that all?]
?B: [Just a little is enough.|That is all, thank you.|No, nothing more.]
> {a} is shopping and will buy {grocery} and {grocery2}.
> {b} asks {a} to get {grocery} and {grocery2} [at the shop|while shopping].
- sold-out
A: [There is no {grocery2} left. Shall I get {grocery3}?|They are out of {grocery2}. Is {grocery3} okay?|The
  {grocery2} is sold out, but they have {grocery3}.]
B: [Yes, take {grocery3} then.|{grocery3} is fine.|Okay, get {grocery3} instead.]
> {a} will buy {grocery} and {grocery3} because there is no {grocery2}.
> The shop has no {grocery2}, so {a} [gets|will bring] {grocery3} and {grocery}.
+ corrected
B: [Oh wait, we have {grocery}. Get {grocery3}.|Stop, not {grocery}! I mean {grocery3}.|Sorry, I found some
  {grocery}. Take {grocery3} instead.]
A: [So {grocery3} and {grocery2}.|Fine, {grocery3} and {grocery2}.]
> {b} asks {a} to buy {grocery2} and {grocery3}.
> {a} will get {grocery3} and {grocery2} at the shop, but no {grocery}.

## paint-room
A: [We want to paint the {home}. What do you think of {colour}?|Which colour for the {home}? I like
  {colour}.|I am thinking of {colour} walls in the {home}.]
+ likes
B: [{colour} would look great!|Yes, {colour} is perfect for it.|I love {colour}. Do it!]
?A: [Will you help me on {day}?|Good, I will buy the paint on {day}.]
?B: [Sure, I have old clothes ready.|I am looking forward to it.]
> {a} will paint the {home} {colour}, and {b} likes the idea.
> {b} [likes|agrees with] the plan of {a} to paint the {home} {colour}.
- other-colour
B: [That is too dark. I would take {colour2}.|{colour}? No, {colour2} is much nicer.|I don't like it. What
  about {colour2}?]
A: [You are right, {colour2} is better.|Okay, you win. {colour2} then.|Good point. I will get {colour2}.]
> {a} wanted a {colour} {home} but will paint it {colour2}.
> {b} talks {a} into painting the {home} {colour2} instead of {colour}.

## move-furniture
A: [Can you help me carry a {furniture} on {day}?|I bought a {furniture}. Can you help me on {day}?|I need
  two strong arms for a {furniture} on {day}.]
?B: [Is it very heavy?|How many floors?]
?A: [I live on the {ordinal} floor, sorry.|It has to go up to the {ordinal} floor.]
+ helps
B: [I can be there at {hour}.|Sure, is {hour} okay?|Yes, I'll come at {hour}.]
?A: [I will make {dish} for you after that!|You get {dish} and a cold drink.]
> {b} will help {a} carry a {furniture} on {day} at {hour}.
> {a} will get help with the {furniture} from {b} on {day} at {hour}.
- hurt-back
B: [My back hurts, but {c} can help you.|I hurt my arm. Ask {c}, who is strong.|The doctor says no. Maybe
  {c} can do it.]
A: [Poor you! I will call {c}.|Get well soon. I'll ask {c}.|Oh! Then I will try {c}.]
> {b} is hurt and cannot carry the {furniture}, so {a} will ask {c}.
> {a} will ask {c} for help with a {furniture} because {b} is hurt.

## birthday-present
A: [What should we give {c} for the birthday?|It is the birthday of {c} on {day}. Any ideas?|I have no
  present for {c} yet. Help!]
B: [How about a {present}?|I thought of a {present}.|Maybe a nice {present}?]
+ agreed
A: [Great idea! I will get it for about {amount} euros.|I like that. It costs {amount} euros, I think.|Yes!
  I saw one for {amount} euros.]
?B: [Good, I will pay half.|I'll write the card.]
> {a} and {b} will give {c} a {present} for {amount} euros.
> {c} will get a {present} for {amount} euros from {a} and {b}.
- has-one
A: [{c} has one already. What about a {present2}?|No, {c} just got one. A {present2} is better.|Hmm, not
  again. Let's get a {present2}.]
B: [Okay, a {present2} is nice too.|Right, a {present2} it is.|Good, then I will look for a {present2}.]
> {a} and {b} will give {c} a {present2} instead of a {present}.
> {c} will get a {present2} for the birthday from {a} and {b}.

## sick-friend
A: [I am ill and can't come on {day}.|I feel terrible. I must stay in bed on {day}.|I have a cold, so I
  can't make it on {day}.]
B: [Oh no! Do you need anything?|Poor you! Can I help?|Get well soon! Shall I bring something?]
+ brings
A: [Some {dish} and {drink} would be nice.|Could you bring {dish} and {drink}?|Yes please, {dish} and some
  {drink}.]
?B: [I will be there at {hour}.|I'll leave it at your door.]
> {a} is ill, and {b} will bring {dish} and {drink}.
> {b} will bring {a}, who is ill, some {dish} and {drink}.
- no-help
A: [No, {c} is looking after me.|Thanks, but {c} is here with me.|I only need sleep, and {c} is here.]
> {a} is ill and cannot come on {day}, but {c} is there to help.
> {b} offers to help {a}, who is ill, but {c} is already helping.

## wifi-password
A: [The internet does not work. What is the password?|I can't get online. Do you know the password?|What was
  the password of the internet here?]
+ gives
B: [It is {colour} {pet} with the number {number}.|Try {colour} {pet} and then {number}.|It should be
  {colour} {pet} {number}.]
?A: [It works!|Yes, I am online now.]
> {b} tells {a} the password: {colour} {pet} {number}.
> The internet password that {a} [wants|gets from {b}] is {colour} {pet} {number}.
- ask-other
B: [I forgot it. {c} changed it on {day}.|No idea. {c} made a new one on {day}.|It is new since {day}. Only
  {c} knows it.]
A: [Then I will ask {c}.|Okay, I'll call {c}.|I hope {c} wrote it down.]
> {b} does not know the password, which {c} changed on {day}.
> {a} must ask {c} for the internet password because it changed on {day}.

## surprise-party
A: [We plan a surprise party for {c} on {day}.|Don't tell {c}, but there is a party on {day}!|It is a
  secret: a party for {c} on {day}!]
B: [How exciting! What can I do?|I love it! What should I bring?|Great! Do you need help?]
+ brings-food
A: [Please bring {dish} and be at my place at {hour}.|Could you make {dish}? We start at {hour}.|You could
  bring {dish}. Come at {hour}.]
?B: [I will not say a word.|My lips are closed!]
> {b} will bring {dish} to the surprise party for {c} on {day} at {hour}.
> There is a surprise party for {c} on {day}, and {b} brings {dish}.
- distracts
A: [Can you take {c} to the {town} until {hour}?|Please keep {c} busy at the {town} until {hour}.|Go to the
  {town} with {c} and come at {hour}.]
B: [Okay, I will think of a good reason.|Sure, that will be easy.|No problem. {c} loves the {town}.]
> {b} will keep {c} at the {town} until {hour} before the surprise party.
> {a} plans a party for {c}, whom {b} will take to the {town} until {hour}.
"""
