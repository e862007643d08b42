package metrics

import (
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/reassembly"
)

const (
	// mostSeries is how many there are of services, those of the rest of them aside: a scrape takes
	// a megabyte then. Some forty labels, rules and outcomes for each of a hundred services stay
	// below it.
	mostSeries = 10_000
	// leastExchanges is how many exchanges a service has had that is counted apart: who only tries
	// what is there makes no series.
	leastExchanges = 10
	// mostCandidates is how many services are watched for that at a time.
	mostCandidates = 4096
	// others are all services that are not counted apart, and stay so: a counter never goes back.
	others = "other"
)

// The buckets of a histogram: classic ones from 1 ms to 8 s, and native ones, in which quantiles
// are right to a twentieth, for scrapers that ask for them.
const (
	firstBucket    = 0.001
	bucketFactor   = 2
	buckets        = 14
	nativeFactor   = 1.1
	nativeBuckets  = 100
	nativeReset    = time.Hour
	histogramLines = buckets + 3 // with +Inf, sum and count
)

// Metrics are the counters of one capture. Its methods but Serve and Close are for the goroutine of
// the analysis; they wait for no scraper.
type Metrics struct {
	registry *prometheus.Registry
	by       families
	total    totals
	most     int // services
	apart    map[netip.AddrPort]*service
	rest     *service
	// how many exchanges those services have had that are not counted apart yet
	candidates map[netip.AddrPort]int
	open       map[int]*service // connections, by number: whose they are
	series     int              // of services counted apart
	server     server
}

// families are what is counted by service and something else.
type families struct {
	exchanges, spent, lost, occurrences, connections, retransmissions *prometheus.CounterVec
	open, info                                                        *prometheus.GaugeVec
	duration, think                                                   *prometheus.HistogramVec
}

// totals are what is counted of the capture as a whole.
type totals struct {
	frames         *prometheus.CounterVec
	drops, refused prometheus.Counter
	seen           capture.Stats // what of it has been counted: frames by outcome, and drops
	dropped        uint64
}

// service is one service, or all that are not counted apart.
type service struct {
	name     string
	counters map[key]prometheus.Counter
	open     prometheus.Gauge
	duration prometheus.Observer
	think    prometheus.Observer
	named    bool
}

// key is one counter of a service.
type key struct {
	of    *prometheus.CounterVec
	value string
}

// newMetrics are counters at zero.
func newMetrics(version string, most int) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(), most: most,
		apart: map[netip.AddrPort]*service{}, candidates: map[netip.AddrPort]int{},
		open: map[int]*service{},
	}
	m.registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.countServices()
	m.countCapture(version)
	m.rest = m.newService(others, m.by.open.WithLabelValues(others),
		m.by.duration.WithLabelValues(others), m.by.think.WithLabelValues(others))
	m.server.begin()
	return m
}

// countServices registers what is counted by service.
func (m *Metrics) countServices() {
	counter := func(name, help, label string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(
			prometheus.CounterOpts{Name: name, Help: help}, []string{"server", label})
		m.registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(g)
		return g
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: help,
			Buckets: prometheus.ExponentialBuckets(
				firstBucket,
				bucketFactor,
				buckets,
			),
			NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: nativeBuckets,
			NativeHistogramMinResetDuration: nativeReset,
		}, []string{"server"})
		m.registry.MustRegister(h)
		return h
	}
	m.by = families{
		exchanges: counter("tcpwhy_exchanges_total",
			"Exchanges that were judged, by how they ended.", "outcome"),
		spent: counter("tcpwhy_exchange_seconds_total",
			"What the time of exchanges was spent on; the labels are those of time_ms.", "label"),
		lost: counter("tcpwhy_lost_seconds_total",
			"What cures would save, as far as it is promised; what two rules tell of may be the "+
				"same time.", "rule"),
		occurrences: counter("tcpwhy_occurrences_total",
			"Occurrences of findings that are certain.", "rule"),
		connections: counter("tcpwhy_connections_total",
			"Connections that are over, by how they ended.", "state"),
		retransmissions: counter(
			"tcpwhy_retransmissions_total",
			"Segments sent again, by who sent them; counted when their connection is over.",
			"side",
		),
		open: gauge("tcpwhy_connections_open",
			"Connections that have had an exchange and are not over.", "server"),
		info: gauge("tcpwhy_server_info",
			"The first name by which a service was asked; always 1.", "server", "host"),
		duration: histogram("tcpwhy_exchange_duration_seconds",
			"How long exchanges took, those aside that stay open or never came to a request."),
		think: histogram("tcpwhy_server_think_seconds",
			"How long servers took to begin their responses."),
	}
}

// countCapture registers what is counted of the whole capture.
func (m *Metrics) countCapture(version string) {
	m.total.frames = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tcpwhy_frames_total", Help: "Frames, by what became of them.",
	}, []string{"reason"})
	for _, o := range capture.Outcomes() {
		m.total.frames.WithLabelValues(o.String())
	}
	m.total.drops = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tcpwhy_kernel_drops_total", Help: "Frames that the kernel dropped for lack of room.",
	})
	m.total.refused = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tcpwhy_series_refused_total",
		Help: "Series that there was no room for; what they would count, that of all other services does.",
	})
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "tcpwhy_build_info", Help: "The version of the program; always 1.",
	}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.total.frames, m.total.drops, m.total.refused, build)
}

// newService is a service with its gauge and histograms.
func (m *Metrics) newService(
	name string, open prometheus.Gauge, duration, think prometheus.Observer,
) *service {
	return &service{name: name, open: open, duration: duration, think: think,
		counters: map[key]prometheus.Counter{}}
}

// of is the service at an address, if it is counted apart, else all others.
func (m *Metrics) of(at netip.AddrPort) *service {
	if s := m.apart[at]; s != nil {
		return s
	}
	return m.rest
}

// admit notes an exchange of a service, which is counted apart from its tenth on, if there is room.
func (m *Metrics) admit(at netip.AddrPort) *service {
	if s := m.of(at); s != m.rest || len(m.apart) >= m.most {
		return s
	}
	if len(m.candidates) >= mostCandidates {
		clear(m.candidates) // who is asked often comes again
	}
	m.candidates[at]++
	if m.candidates[at] < leastExchanges {
		return m.rest
	}
	delete(m.candidates, at)
	if !m.room(2*histogramLines + 1) {
		m.total.refused.Inc()
		return m.rest
	}
	name := at.String()
	s := m.newService(name, m.by.open.WithLabelValues(name),
		m.by.duration.WithLabelValues(name), m.by.think.WithLabelValues(name))
	m.apart[at] = s
	if len(m.apart) >= m.most {
		m.candidates = nil
	}
	return s
}

// room takes room for so many series, if there is.
func (m *Metrics) room(series int) bool {
	if m.series+series > mostSeries {
		return false
	}
	m.series += series
	return true
}

// counter is one of a service's; where there is no room for it, that of all others.
func (m *Metrics) counter(s *service, of *prometheus.CounterVec, value string) prometheus.Counter {
	k := key{of, value}
	c := s.counters[k]
	if c != nil {
		return c
	}
	if s == m.rest || m.room(1) {
		c = of.WithLabelValues(s.name, value)
	} else {
		m.total.refused.Inc()
		c = m.counter(m.rest, of, value)
	}
	s.counters[k] = c
	return c
}

// name notes how a service was asked for, once: a service may have thousands of names.
func (m *Metrics) name(s *service, host string) {
	if s.named || s == m.rest || host == "" {
		return
	}
	if s.named = true; !m.room(1) {
		m.total.refused.Inc()
		return
	}
	m.by.info.WithLabelValues(s.name, mask.Host(host)).Set(1)
}

// staysOpen reports whether how long an exchange took is how long somebody kept it open.
func staysOpen(x *report.ExchangeInfo) bool {
	for _, t := range x.Times {
		if t.Label == report.StreamIdle || t.Label == report.Tunnel {
			return true
		}
	}
	return false
}

// Exchange takes in an exchange that was judged.
func (m *Metrics) Exchange(between report.Pair, x *report.ExchangeInfo) {
	s := m.admit(between.Server)
	m.name(s, x.Host)
	m.counter(s, m.by.exchanges, x.Outcome.String()).Inc()
	for _, t := range x.Times {
		if t.Time <= 0 {
			continue
		}
		m.counter(s, m.by.spent, t.Label.String()).Add(t.Time.Seconds())
		if t.Label == report.Think && x.Response != nil {
			s.think.Observe(t.Time.Seconds())
		}
	}
	if x.Attempt == nil && !staysOpen(x) {
		s.duration.Observe(x.Duration.Seconds())
	}
}

// Finding takes in a finding with the occurrences that have just become certain.
func (m *Metrics) Finding(f *report.Finding) {
	s := m.of(f.Server)
	for i := range f.Occurrences {
		m.counter(s, m.by.occurrences, f.Rule).Inc()
		if cost := f.Occurrences[i].Cost.Expected; cost > 0 && f.Confidence > report.ConfidenceLow {
			m.counter(s, m.by.lost, f.Rule).Add(cost.Seconds())
		}
	}
}

// Connection takes in that a connection has had its first exchange, or is over.
func (m *Metrics) Connection(id int, between report.Pair, over *report.ConnInfo) {
	if over == nil {
		s := m.of(between.Server)
		m.open[id] = s
		s.open.Inc()
		return
	}
	if s := m.open[id]; s != nil {
		s.open.Dec()
		delete(m.open, id)
	}
	s := m.of(between.Server)
	m.counter(s, m.by.connections, over.State.String()).Inc()
	for dir, side := range [...]report.Side{
		reassembly.FromClient: report.SideClient, reassembly.FromServer: report.SideServer,
	} {
		if n := over.Retransmissions[dir]; n > 0 {
			m.counter(s, m.by.retransmissions, side.String()).Add(float64(n))
		}
	}
}

// Tick takes in the account of the capture so far, and that it goes on.
func (m *Metrics) Tick(st *capture.Stats) {
	for _, o := range capture.Outcomes() {
		if n := st.Count[o] - m.total.seen.Count[o]; n > 0 {
			m.total.frames.WithLabelValues(o.String()).Add(float64(n))
		}
	}
	m.total.seen.Count = st.Count
	if drops := st.KernelDrops(); drops > m.total.dropped {
		m.total.drops.Add(float64(drops - m.total.dropped))
		m.total.dropped = drops
	}
	m.server.ticked.Store(int64(time.Since(m.server.began)))
}
