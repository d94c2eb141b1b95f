"""The labeller: a small server for one person on their own machine, and its page.

journal   every answer, kept before it is acknowledged
sheet     the label file of one film while it is being changed
book      that file on the disk, and the journal behind it, in step
film      one film at the desk: its frames, answers, proposals
pages     what each view shows of the films, and what an answer there says
history   what was done: what can be taken back, who worked how long, what was picked
standing  where the work stands, for the page and the agenda
teaching  what the answers teach: the light head, and the lessons of a network
learner   that network; study, the process it learns in
desk      what a person does: answers, undo, audit; brings these together; knows nothing of the web
session   a desk opened for a project
pictures  the frames as the page asks for them
wording   sentences on answers; errors, the one that refuses
server    the desk over HTTP, to this machine only
page/     what the browser shows
"""
