"""Scenarios at work and at school (notation: scenario.py)."""

TEXT = """
## move-meeting
A: [Can we move the meeting on {day}?|I need another time for our meeting on {day}.|The meeting on {day} is
  bad for me.]
?B: [Why, what is the problem?|Is something wrong?]
?A: [I have to see a customer in {city}.|I must be at the dentist.]
+ moved
B: [Sure. Is {day2} at {hour} okay?|Let's take {day2} at {hour}.|I have time on {day2} at {hour}.]
A: [Yes, I will tell {c}.|Good, I'll write to {c}.|Perfect, {c} can come then, too.]
> The meeting of {a} and {b} is moved from {day} to {day2} at {hour}.
> {a} and {b} will meet on {day2} at {hour}, and {a} will tell {c}.
- not-moved
B: [No, {c} only has time on {day}.|That is hard. {c} leaves after {day}.|Sorry, {c} flies home after that.]
A: [Okay, I will find a way.|Then I will be there.|Fine, I will try to come.]
> The meeting stays on {day} because {c} has no other time.
> {a} wants another day for the meeting, but {b} says no because of {c}.

## swap-shift
A: [Could you work for me on {day}?|Can we swap shifts? I can't work on {day}.|I need somebody to take my
  shift on {day}.]
?B: [What do you have to do?|Is there a reason?]
?A: [My {relative} is getting married.|I have to help my {relative}.]
+ swaps
B: [Yes, if you take my {day2}.|Okay, but then you work on {day2}.|Sure, I would like {day2} off.]
A: [It's a deal!|Gladly, thank you.|That is fair.]
> {b} will work on {day} for {a}, who takes the shift on {day2}.
> {a} and {b} swap shifts: {b} works on {day} and {a} on {day2}.
- no
B: [I am off to {city} then. Ask {c}.|I already work that day. Maybe {c}?|Sorry, I can't, but {c} needs the
  money.]
A: [Good, I will ask {c}.|Okay, then I'll call {c}.|I hope {c} can do it.]
> {b} cannot take the shift on {day}, so {a} will ask {c}.
> {a} will ask {c} to work on {day} because {b} can't.

## report
A: [Is the report ready?|When do I get the report?|How is the report going?]
+ ready
B: [Yes, it is on your desk.|It is done. You have it in your mail.|I finished it an hour ago.]
A: [Great. {c} will read it on {day}.|Good, {c} needs it on {day}.|Well done! {c} gets it on {day}.]
> {b} has finished the report, which {c} [needs|gets] on {day}.
> The report is ready, and {c} will have it on {day}.
- needs-time
B: [I need until {day}. The numbers are wrong.|Not yet, there are {number} pages left.|I still have to write
  {number} pages.]
A: [You have until {day} at {hour}.|I need it on {day} at {hour}.|Please send it by {day} at {hour}.]
> The report is not ready, and {b} must send it by {day} at {hour}.
> {b} has until {day} at {hour} to finish the report for {a}.

## printer
A: [The printer in the {work} does not work.|I can't print in the {work}.|Is something wrong with the
  printer in the {work}?]
+ easy
B: [Turn it off and on again.|It just needs paper. Look in the {colour} box.|The paper is stuck. Open the
  {colour} door.]
A: [Now it works!|That was it, it prints again.|Yes! It is printing.]
> {b} helps {a}, and the printer in the {work} works again.
> The printer in the {work} works again thanks to {b}.
- other-printer
B: [It is broken. Use the one in the {work2}.|{c} broke it. Go to the {work2}.|Take the one in the {work2}
  until {day}.]
?A: [Okay, I only have {number} pages.|Fine, I'll walk there.]
> {a} has to use the printer in the {work2} because the other one is broken.
> The printer in the {work} is broken, so {a} should print in the {work2}.

## lunch-colleagues
A: [Are you coming to lunch?|I am hungry. Lunch at {hour}?|Do you want to have lunch together?]
+ canteen
B: [Yes, there is {dish} in the canteen.|Sure, I heard they have {dish} today.|Good idea! I would like the
  {dish} downstairs.]
A: [Let's go at {hour}.|I will come for you at {hour}.|Then at {hour}.]
> {a} and {b} will have {dish} for lunch at {hour}.
> {b} will go to lunch with {a} at {hour} and eat {dish}.
- own-food
B: [I brought {dish} from home.|No, my {relative} made me {dish}.|I have some {dish} from last night.]
A: [Lucky you! I will go with {c}.|Okay, I'll ask {c}.|Then I will eat with {c}.]
> {b} has {dish} from home, so {a} will have lunch with {c}.
> {a} will go to lunch with {c} because {b} brought {dish}.

## new-colleague
A: [Who is the new person in the {work}?|Have you met our new colleague?|There is somebody new in the {work}.]
+ knows
B: [That is {c} from {city}.|Yes, it is {c}, who comes from {city}.|{c} came from {city} to work with us.]
?A: [And what does {c} do?|What is {c} like?]
B: [{c} was a {job} before.|{c} used to be a {job}.|I know {c} was a {job} there.]
> The new colleague is {c} from {city}, who was a {job} before.
> {b} tells {a} about {c}, a former {job} from {city}.
- not-met
B: [No idea, let's say hello at {hour}.|I don't know. Shall we ask at {hour}?|I have no clue. We will hear
  it at {hour}.]
A: [Okay, I will bring {food}.|Good, I'll take some {food} along.|Yes, and we could bring {food}.]
> {a} and {b} will meet the new colleague at {hour} and bring {food}.
> {a} and {b} do not know the new colleague and will say hello at {hour}.

## exam-result
A: [How was your {subject} exam?|Did you get your {subject} result?|What about the {subject} test?]
+ passed
B: [I passed! I got {amount} points.|I made it with {amount} points!|Very well, I have {amount} points.]
?A: [Wow, well done!|I knew it!|You worked so hard.]
B: [Let's celebrate on {day}.|I will have a party on {day}.|Come and have {food} with me on {day}.]
> {b} passed the {subject} exam and will celebrate on {day}.
> {b} has {amount} points in {subject} and wants to celebrate with {a}.
- failed
B: [I failed. I had only {amount} points.|Not good, I did not pass.|It was awful, I failed it.]
A: [You can try again in {month}.|Don't be sad, there is one in {month}.|There is another one in {month}.]
?B: [Will you study with me?|Then I must study more.]
> {b} failed the {subject} exam and can try again in {month}.
> {b} did not pass in {subject}, and {a} says there is a new exam in {month}.

## homework
A: [What was our {subject} homework?|Do we have homework in {subject}?|I was ill. What do I have to do for
  {subject}?]
+ tells
B: [Read page {number} and write a text.|We must do page {number} by {day}.|Just page {number}, it is not
  much.]
A: [Until when?|And for which day?|When is it for?]
B: [{day}, I think.|She wants it on {day}.|It is for {day}.]
> {b} tells {a} that page {number} in {subject} is due on {day}.
> The {subject} homework for {day} is page {number}[.|, says {b}.]
- does-not-know
B: [I slept in class. Ask {c}.|No idea, I was not there. {c} was.|I forgot it, but {c} writes everything
  down.]
A: [You never listen! I'll call {c}.|Okay, I will ask {c} then.|Good that we have {c}.]
> {b} does not know the {subject} homework, so {a} will ask {c}.
> {a} must ask {c} about the {subject} homework.

## study-group
A: [Let's study {subject} together on {day}.|Shall we prepare the {subject} test on {day}?|I don't get
  {subject}. Can we study on {day}?]
+ agrees
B: [Yes, at the {town} at {hour}?|Sure. I am at the {town} at {hour}.|Good idea. {hour} at the {town}?]
?A: [Can {c} come, too?|I will bring {c}, okay?]
?B: [Of course.|Yes, {c} is good at it.]
> {a} and {b} will study {subject} at the {town} on {day} at {hour}.
> {b} will study {subject} with {a} at the {town} on {day}.
- declines
B: [I have {sport} on {day}. But take my notes.|I can't, I play {sport}. You can have my notes.|No time,
  there is {sport}. I will send you my notes.]
?A: [That helps a lot.|Your notes are great.]
> {b} has {sport} on {day} but will give {a} the notes for {subject}.
> {a} gets the {subject} notes of {b}, who plays {sport} on {day}.

## new-job
A: [I have news: I got a job as a {job}!|Guess what, I am a {job} now!|They took me! I will be a {job}!]
B: [Wow! When do you start?|That is great! When is your first day?|I am so happy for you! From when?]
+ starts
A: [In {month}, in {city}.|I start in {month}, but in {city}.|My first day is in {month}, in {city}.]
?B: [Do you have to move?|That is far away!]
?A: [Yes, I will miss you.|I know, but you can visit me.]
> {a} will start as a {job} in {city} in {month}.
> {a} tells {b} about a new job as a {job} in {city}.
- unsure
A: [In {month}, but I am not sure I want it.|They want me in {month}, but the pay is bad.|In {month}. But
  {c} says I should not take it.]
B: [Think about it until {day}.|Take your time and tell them on {day}.|Let's talk about it on {day}.]
> {a} is not sure about a job as a {job} and will think until {day}.
> {a} got a job as a {job} for {month} but may not take it.

## forgotten-laptop
A: [I left my {thing} in the {work}!|My {thing} is still in the {work}.|Are you in the {work}? I forgot my
  {thing}.]
+ brings
B: [I have it. I'll bring it to you at {hour}.|It is here. I can bring it at {hour}.|I see it. Are you home
  at {hour}?]
?A: [You are so kind!|Yes! You saved my day.]
> {b} will bring {a} the forgotten {thing} at {hour}.
> {a} forgot a {thing} in the {work}, and {b} will bring it at {hour}.
- locked
B: [I went home, and the {work} is closed now.|It is locked. {c} has the key.|Sorry, I left. You will need
  {c} to open it.]
A: [Then I will get it on {day}.|Okay, I can wait until {day}.|I will ask {c} to open it on {day}.]
> {a} forgot a {thing} in the {work} and will get it on {day}.
> The {work} is closed, so {a} has to wait for the {thing} until {day}.

## class-trip
A: [Where will the class trip go?|Do you know where we go with the class?|Is it true that we go to {city}
  with the class?]
+ goes
B: [We go to {city} on {day}.|To {city}, on {day}.|It is {city}. The bus leaves on {day}.]
A: [What do we have to pay?|And what does it cost?|How much is it?]
B: [{amount} euros.|They want {amount} euros.|It costs {amount} euros.]
> The class trip goes to {city} on {day} and costs {amount} euros.
> {b} tells {a} that the class will go to {city} for {amount} euros.
- cancelled
B: [There is no trip. Our teacher is ill.|It is off because our teacher is ill.|We stay here, there are not
  enough people.]
A: [Oh no! And what do we do on {day}?|Really? So we have school on {day}?|How sad. Then what about {day}?]
B: [We go to the {town}.|They take us to the {town}.|Only a walk to the {town}.]
> There is no class trip, but the class goes to the {town} on {day}.
> {a} hears from {b} that the trip is off and they visit the {town}.
"""
