/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The protocol of docs/moving-flows.md for spin. Shards A and B exchange the one
 * message of a move; frames of the flow come in on the queues of A, B and a
 * third shard C. An inbox is a channel, which keeps the order of what is sent. A
 * frame is the queue that it came on and its number there.
 *
 * What is not modelled: times (anything that may wait for a clock may happen at any
 * time), more than one flow, receive queues. The flow ends, or is not quiet, whenever
 * the checker likes: ENDS, BUSY.
 *
 * Checked: each queue's frames are taken in once and in order (take), by the one
 * who has the flow (ltl single); all that came in is taken in at last, or came to
 * the end of the flow, and the move is over some day (ltl settled).
 *
 * check.sh also breaks it by -D, one rule at a time, and expects an error:
 * NO_GRACE, NO_KEEP, NO_END, NO_RETURN.
 */
#ifndef FRAMES
#define FRAMES 2 /* on each queue */
#endif

#define BUSY_MAX 2 /* how often the flow is not quiet */

#define QUEUES 3
#define A 0
#define B 1
#define C 2

mtype = { frame, propose, accept, refuse, hold, held, release, released,
	state, end, done };
mtype = { idle, proposed, published, holding, ready, releasing, left };
mtype = { none, waiting, keeping, here };

/* kind, and of a frame: queue and number */
chan inbox_a = [24] of { mtype, byte, byte };
chan inbox_b = [24] of { mtype, byte, byte };

mtype stage = idle;
mtype place = none;
byte table = A;      /* who others find; none: QUEUES */
bool alive = true;   /* the flow has not ended */
bool has_a = true;   /* A has its state */
bool has_b = false;
byte sent[QUEUES];   /* frames that came in on each queue */
byte taken[QUEUES];  /* that the flow has taken in */
byte late[QUEUES];   /* that came, or were on their way, when it had ended */
bool reading;        /* C has looked up, and not yet sent */
byte found;          /* what C found */
byte periods;        /* turns of C's */
byte since;          /* of these, when A has put the place into the table */
bool was_reading;
bool gone_round;     /* a move was begun, and is over */

#define owners (has_a + has_b)

/* The flow takes a frame in: in order, each once. */
inline take(q, n)
{
	assert(owners == 1);
	assert(n == taken[q]);
	taken[q]++;
}

/* A frame that no flow is there for: as a first packet, refused. */
inline refuse_frame(q)
{
	assert(!alive);
	late[q]++;
}

inline grace_begin()
{
	was_reading = reading;
	since = periods;
}

#ifdef NO_GRACE
#define grace_over true
#else
#define grace_over (!was_reading || periods != since)
#endif

/* A meets a frame: of its own queue, or out of its inbox. */
inline meet_a(q, n)
{
	if
	:: has_a -> take(q, n)
	:: !has_a && table == B -> inbox_b!frame(q, n)
	:: !has_a && table != B -> refuse_frame(q)
	fi
}

inline meet_b(q, n)
{
	if
	:: has_b -> take(q, n)
	:: !has_b && table == A -> inbox_a!frame(q, n)
	:: !has_b && table == QUEUES -> refuse_frame(q)
	:: !has_b && table == B && place == waiting -> inbox_a!frame(q, n)
	:: !has_b && table == B && place == keeping ->
		kept_q[kept] = q;
		kept_n[kept] = n;
		kept++
	fi
}

inline request(word, next)
{
	stage = next;
	inbox_b!word(0, 0)
}

/* What the message says when it is back. */
inline answered(word)
{
	if
	:: word == refuse -> stage = idle; gone_round = true
	:: word == done -> stage = idle; gone_round = true
	:: word != refuse && word != done && !has_a -> request(end, left)
	:: word == accept && has_a ->
		table = B;
		grace_begin();
		stage = published
	:: word == held && has_a -> stage = ready
	:: word == released && has_a -> stage = published
	fi
}

active proctype shard_a()
{
	mtype word;
	byte q, n;
	byte busy = 0;

end_a:
	do
	:: atomic { inbox_a?word(q, n) ->
		if
		:: word == frame -> meet_a(q, n)
		:: else -> answered(word)
		fi }
	/* Its own port brings one. */
	:: atomic { sent[A] < FRAMES ->
		n = sent[A];
		sent[A]++;
		meet_a(A, n) }
	/* Frames in a row from B. */
	:: atomic { stage == idle && has_a && !gone_round ->
		request(propose, proposed) }
	:: atomic { stage == published && has_a && grace_over ->
		request(hold, holding) }
	:: atomic { stage == ready && has_a ->
		has_a = false;
		request(state, left) }
#ifdef BUSY
	:: atomic { stage == ready && has_a && busy < BUSY_MAX ->
		busy++;
		request(release, releasing) }
#endif
#ifdef ENDS
	:: atomic { has_a && alive ->
		alive = false;
		has_a = false;
		if
		:: table == A -> table = QUEUES
		:: else
		fi;
		if
#ifndef NO_END
		:: stage == published || stage == ready -> request(end, left)
#endif
		:: else
		fi }
#endif
	od
}

/* Frames that were kept are met, in order; B's own come behind them. */
inline meet_kept()
{
	i = 0;
	do
	:: i < kept && word == release ->
		inbox_a!frame(kept_q[i], kept_n[i]);
		i++
	:: i < kept && word == state -> take(kept_q[i], kept_n[i]); i++
	:: i < kept && word == end -> refuse_frame(kept_q[i]); i++
	:: i == kept -> break
	od;
	kept = 0
}

inline serve(word)
{
	if
	:: word == propose -> place = waiting; inbox_a!accept(0, 0)
	:: word == propose -> inbox_a!refuse(0, 0)
	:: word == hold ->
#ifndef NO_KEEP
		place = keeping;
#endif
		inbox_a!held(0, 0)
	:: word == release ->
		place = waiting;
#ifdef NO_RETURN
		kept = 0;
#endif
		meet_kept();
		inbox_a!released(0, 0)
	:: word == state ->
		place = here;
		has_b = true;
		meet_kept();
		inbox_a!done(0, 0)
	:: word == end ->
		place = none;
		if
		:: table == B -> table = QUEUES
		:: else
		fi;
		meet_kept();
		inbox_a!done(0, 0)
	fi
}

active proctype shard_b()
{
	mtype word;
	byte q, n, i;
	byte kept;
	byte kept_q[8], kept_n[8];

end_b:
	do
	:: atomic { inbox_b?word(q, n) ->
		if
		:: word == frame -> meet_b(q, n)
		:: else -> serve(word)
		fi }
	:: atomic { sent[B] < FRAMES ->
		n = sent[B];
		sent[B]++;
		meet_b(B, n) }
#ifdef ENDS
	:: atomic { has_b && alive ->
		alive = false;
		has_b = false;
		place = none;
		table = QUEUES }
#endif
	od
}

/* A turn of C's: look up, send; two steps, between which anything happens. */
active proctype shard_c()
{
	byte n;

	do
	:: atomic { sent[C] < FRAMES -> found = table; reading = true };
		atomic {
			n = sent[C];
			sent[C]++;
			if
			:: found == A -> inbox_a!frame(C, n)
			:: found == B -> inbox_b!frame(C, n)
			:: found == QUEUES -> refuse_frame(C)
			fi;
			reading = false;
			periods++
		}
	:: sent[C] == FRAMES -> break
	od
}

#define all_in (sent[A] == FRAMES && sent[B] == FRAMES && sent[C] == FRAMES && \
	taken[A] + late[A] == FRAMES && taken[B] + late[B] == FRAMES && \
	taken[C] + late[C] == FRAMES)
#define at_rest (stage == idle && gone_round && place != keeping && \
	place != waiting)
#define one_owner (owners <= 1)

ltl single { [] one_owner }
ltl settled { <> [] (all_in && (at_rest || (!alive && stage == idle))) }
