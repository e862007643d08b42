package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	maxEndpoints = 1024 // followed at a time; further ones are not judged
	maxThinks    = 256  // exchanges remembered of each, the first ones
	leastThinks  = 8    // exchanges without which nothing is an outlier
	// slowThink is what a person notices as a break (Nielsen, Usability Engineering, 1993: one second).
	slowThink = time.Second
)

var serverThink = &Detector{
	Name:  "server-think",
	Title: "server took long",
	Doc: `What happens
Between the arrival of a request and the first octet of its response the server works, or waits for something of its own.
That is its business and no fault of the network; but it may be what makes an exchange slow.

How it is recognised
The time from the last octet of the request to the first of the response, less the least round trip between the capture
point and the server, without retransmissions and waits for 100 Continue. Per endpoint (method and path without query) the
distribution is drawn up. Reported are exchanges that took far longer than usual there: by more than three times the
usual deviation, and 100 ms, above the median of at least eight; and, where none did, endpoints whose median is a second or
more.

How cost is counted
Against what the same endpoint can do: the tenth percentile. Low counts from the median.

When it is wrong
Where it is meant so: long polling, server-sent events (which are not counted), requests that differ in more than their
path. Seen from the client, a proxy's waiting is the server's.`,
	Causes: []Cause{{Code: "", Side: SideServer,
		Message: "The server took long before it answered.",
		Remedies: []Remedy{{Side: SideServer, Text: "look at what the server does in that time: its own timing log",
			Settings: []Setting{{Nginx, "$upstream_response_time and $request_time"}, {Apache, "%D"}, {HAProxy, "%TR/%Tw/%Tc/%Tr/%Ta"},
				{Envoy, "%DURATION% and x-envoy-upstream-service-time"}, {Tomcat, "%D in AccessLogValve"}, {IIS, "time-taken"},
				{Gunicorn, "%(D)s in --access-logformat"}, {Jetty, "%D in CustomRequestLog"}},
			After: "then slow queries, cold caches, a full worker pool, connections to upstreams opened anew"}}}},
	References: []string{"RFC 9110 section 15.2"},
	cross:      func() crossRule { return &thinks{at: map[endpoint]*thinkList{}} },
}

// endpoint is what requests have in common that should take the same time.
type endpoint struct {
	pair   pair
	method string
	path   string
}

// thinkList is the exchanges of an endpoint.
type thinkList struct{ all []thought }

// thought is how long the server took for one exchange.
type thought struct {
	conn, exchange int
	think          time.Duration
	request, first capture.Mark
}

// thinks is the rule's state for one run.
type thinks struct{ at map[endpoint]*thinkList }

// event takes note of an exchange.
func (t *thinks) event(_ *judge, m *member, e *event) {
	j, ok := e.data.(*job)
	if !ok || j.x.Turn || j.x.Request == nil || j.x.Response == nil || j.times[Think100] > 0 ||
		j.x.Response.Facts.Has(reassembly.EventStream) {
		return
	}
	path, _, _ := strings.Cut(j.x.Target, "?")
	k := endpoint{m.pair, j.x.Method, path}
	l := t.at[k]
	if l == nil {
		if len(t.at) >= maxEndpoints {
			return
		}
		l = &thinkList{}
		t.at[k] = l
	}
	if len(l.all) < maxThinks {
		l.all = append(l.all, thought{m.id, m.find(e.index), j.times[Think], j.x.Request.End, j.x.Response.Start})
	}
}

// finish reports what stands out.
func (t *thinks) finish(j *judge) {
	keys := make([]endpoint, 0, len(t.at))
	for k := range t.at {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b endpoint) int {
		return cmp.Or(a.pair.client.Compare(b.pair.client), a.pair.server.Compare(b.pair.server), cmp.Compare(a.method, b.method),
			cmp.Compare(a.path, b.path))
	})
	uneven := map[pair]bool{}
	for _, k := range keys {
		uneven[k.pair] = uneven[k.pair] || t.at[k].uneven()
	}
	for _, k := range keys {
		t.judge(j, k, t.at[k], uneven[k.pair])
	}
}

// spread is that of the endpoint's times, and the limit beyond which one stands out.
func (l *thinkList) spread() (typical, best, limit time.Duration) {
	times := make([]time.Duration, len(l.all))
	for i := range l.all {
		times[i] = l.all[i].think
	}
	typical, deviation, best := spread(times)
	limit = typical + max(3*deviation, 100*time.Millisecond)
	if len(l.all) < leastThinks {
		limit = math.MaxInt64
	}
	return typical, best, limit
}

// uneven reports whether any exchange stands out.
func (l *thinkList) uneven() bool {
	_, _, limit := l.spread()
	return slices.ContainsFunc(l.all, func(x thought) bool { return x.think > limit })
}

// judge looks at one endpoint. An endpoint that always takes long may be meant to: where some exchanges between the same two
// stand out, those alone are told, so that their severity is that of their own cost.
func (t *thinks) judge(j *judge, k endpoint, l *thinkList, uneven bool) {
	typical, best, limit := l.spread()
	for i := range l.all {
		x := &l.all[i]
		outlier := x.think > limit
		if !outlier && (uneven || typical < slowThink || x.think < slowThink) {
			continue
		}
		c := claim{rule: "server-think", confidence: ConfidenceMedium, index: -1, most: atMost(Info)}
		if outlier {
			c.most = atMost(Medium)
		}
		cost := Cost{Low: max(0, x.think-typical), Expected: max(0, x.think-best), High: max(0, x.think-best)}
		c.occ = Occurrence{Connection: x.conn, Exchange: x.exchange, Start: x.request.Time, End: x.first.Time, Cost: cost}
		c.occ.Evidence = []Evidence{at(x.request, "request", SideClient, "its last octet"),
			at(x.first, "response", SideServer, fmt.Sprintf("its first octet; the server took %s, usually %s (%d exchanges)",
				millis(x.think), millis(typical), len(l.all)))}
		j.book(&member{id: x.conn, pair: k.pair}, &c, nil)
	}
}

// spread is the median, the median distance from it, scaled to a standard deviation, and the tenth percentile.
func spread(times []time.Duration) (typical, deviation, best time.Duration) {
	sorted := slices.Clone(times)
	slices.Sort(sorted)
	typical, best = sorted[len(sorted)/2], sorted[len(sorted)/10]
	for i, v := range sorted {
		sorted[i] = max(v-typical, typical-v)
	}
	slices.Sort(sorted)
	return typical, sorted[len(sorted)/2] * 148 / 100, best
}
