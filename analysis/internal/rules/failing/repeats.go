package failing

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	// repeatedWithin is how soon after it has given up a client that repeats at once does it, on a
	// connection of its own; on another, within repeatedAtOnce.
	repeatedWithin = time.Second
	repeatedAtOnce = 50 * time.Millisecond
	// firstPause is how long clients pause at most before they repeat, and pauseGrows how much
	// longer each time (curl --retry 1, 2, 4 s and so on, urllib3 0, 2, 4 s, some with as much
	// chance again).
	firstPause = 5 * time.Second
	pauseGrows = 3
	// repeatedLater is how long a repetition is waited for.
	repeatedLater = 2 * time.Minute
)

// repeats links requests that clients gave up to those that repeat them.
type repeats struct {
	asked map[int]asked               // latest of each connection
	left  map[int]*departure          // by connection
	open  map[rule.RetryKey]*attempts // made now and then, until repeatedLater after the last
	order rule.Agenda[rule.RetryKey]
	by    map[place]*attempts // what would repeat them after a pause
}

// place is that of an exchange.
type place struct{ conn, index int }

// asked is a request.
type asked struct {
	key   rule.RetryKey
	start time.Duration
}

// attempts are requests for the same.
type attempts struct {
	left  []*departure // not yet repeated
	pause time.Duration
	until time.Duration
	// the last of them had success, and the same was asked for after that: again and again, for all
	// that shows, and not because those before had failed
	succeeded, again bool
}

// departure is that of a client which closed, perhaps while it waited.
type departure struct {
	asked
	at      time.Duration
	of      *attempts
	atOnce  *rule.Repetition
	patient *rule.Repetition // after a pause: if it, or what repeats it, had success
}

func newRepeats() repeats {
	return repeats{
		asked: map[int]asked{},
		left:  map[int]*departure{},
		open:  map[rule.RetryKey]*attempts{},
		by:    map[place]*attempts{},
	}
}

// repeatedAs is the request that repeats the one that was given up; nil if none does.
func (l *departure) repeatedAs() *rule.Repetition {
	if l.atOnce == nil && l.patient != nil && l.of.succeeded && !l.of.again {
		return l.patient
	}
	return l.atOnce
}

// began takes note of a request, which may repeat one that was given up.
func (t *repeats) began(c *rule.Conn, e *rule.Began, index int) {
	if e.Turn || e.Method == "" || e.Target == "" {
		return
	}
	k := e.Key()
	t.asked[c.Id] = asked{k, e.Start.Time}
	all := t.open[k]
	if all == nil {
		return
	}
	all.again = all.again || all.succeeded
	for i, l := range all.left {
		r := &rule.Repetition{Start: e.Start, Need: e.Need, Conn: c.Id, Index: index}
		pause := e.Need - l.at
		opened := e.First && e.Handshake && e.ConnStart.Time >= l.start
		switch {
		case opened && pause <= repeatedWithin || pause <= repeatedAtOnce+e.Far:
			l.atOnce = r
		case opened && pause <= max(firstPause, pauseGrows*all.pause):
			l.patient, all.pause = r, pause
			t.by[place{c.Id, index}] = all
		default:
			continue
		}
		all.left = slices.Delete(all.left, i, i+1)
		return
	}
}

// closing takes note of a client that goes.
func (t *repeats) closing(c *rule.Conn, e rule.Closing) {
	of, ok := t.asked[c.Id]
	if !ok || e.By != reassembly.FromClient || !e.Open && !e.Reset {
		return
	}
	t.forget(e.At.Time)
	all := t.open[of.key]
	if all == nil {
		all = &attempts{}
		t.open[of.key] = all
	}
	l := &departure{asked: of, at: e.At.Time, of: all}
	all.left, all.until = append(all.left, l), e.At.Time+repeatedLater
	t.left[c.Id] = l
	t.order.Add(all.until, of.key)
}

// forget no longer waits for what repeats requests that were given up long ago.
func (t *repeats) forget(now time.Duration) {
	for t.order.Len() > 0 {
		k, due := t.order.Due(now)
		if !due && t.order.Len() > maxHeld {
			k, due = t.order.Next()
		}
		if !due {
			return
		}
		if all := t.open[k]; all != nil && (all.until < now || t.order.Len() > maxHeld) {
			delete(t.open, k)
		}
	}
}

// answered takes note of how an exchange ended that may repeat others.
func (t *repeats) answered(c *rule.Conn, job *rule.Judged) {
	at := place{c.Id, job.Index}
	if all := t.by[at]; all != nil {
		delete(t.by, at)
		all.succeeded = all.succeeded || job.Info.Outcome == exchange.Complete
	}
}

// over forgets a connection.
func (t *repeats) over(conn int) {
	delete(t.left, conn)
	delete(t.asked, conn)
}
