package metrics

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// nth is the n-th service, and a client of it.
func nth(n int) report.Pair {
	return report.Pair{
		Client: netip.MustParseAddr("10.0.0.1"),
		Server: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(n >> 8), byte(n)}), 80),
	}
}

// asked is an exchange in which the server thought for a while.
func asked(host string) *report.ExchangeInfo {
	return &report.ExchangeInfo{
		Host: host, Outcome: exchange.Complete, Duration: 30 * time.Millisecond,
		Target: "/secret-path?token=secret-query", Method: "GET", Response: &report.MessageInfo{},
		Times: []report.LabelTime{{Label: report.Think, Time: 20 * time.Millisecond},
			{Label: report.RoundTrip, Time: 10 * time.Millisecond}},
	}
}

// fault is a finding at a service with one occurrence.
func fault(p report.Pair, rule string, c report.Confidence) *report.Finding {
	return &report.Finding{Rule: rule, Server: p.Server, Client: p.Client, Confidence: c,
		Occurrences: []report.Occurrence{{Cost: report.Cost{Expected: time.Second}}}}
}

// served are metrics that are being served, and where.
func served(t *testing.T, servers int) (*Metrics, string) {
	t.Helper()
	m := newMetrics("1.2.3", servers)
	var err error
	if m.server.listener, err = net.Listen("tcp", loopback+":0"); err != nil {
		t.Fatal(err)
	}
	m.Serve()
	t.Cleanup(m.Close)
	return m, "http://" + m.server.listener.Addr().String()
}

// get is the status and the body of an answer.
func get(t *testing.T, method, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// use makes one of each metric.
func use(m *Metrics) {
	for range leastExchanges + 1 {
		m.Exchange(nth(1), asked("user:secret-word@api.example"))
	}
	m.Connection(1, nth(1), nil)
	m.Finding(fault(nth(1), "nagle", report.Proven))
	m.Finding(fault(nth(1), "nagle", report.ConfidenceLow))
	m.Connection(1, nth(1), &report.ConnInfo{State: reassembly.Closed, Retransmissions: [2]uint32{2, 3}})
	m.Connection(2, nth(1), nil)
	st := &capture.Stats{Inputs: []capture.Input{{KernelDrops: 7}}}
	st.Count[capture.OutcomeSegment] = 40
	m.Tick(st)
	m.Tick(st)
}

func TestScrape(t *testing.T) {
	m, url := served(t, 100)
	use(m)
	status, body := get(t, http.MethodGet, url+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	for _, want := range []string{
		`tcpwhy_exchanges_total{outcome="complete",server="other"} 9`,
		`tcpwhy_exchanges_total{outcome="complete",server="192.0.0.1:80"} 2`,
		`tcpwhy_exchange_duration_seconds_count{server="192.0.0.1:80"} 2`,
		`tcpwhy_server_think_seconds_bucket{server="192.0.0.1:80",le="0.032"} 2`,
		`tcpwhy_exchange_seconds_total{label="think",server="192.0.0.1:80"} 0.04`,
		`tcpwhy_lost_seconds_total{rule="nagle",server="192.0.0.1:80"} 1`,
		`tcpwhy_occurrences_total{rule="nagle",server="192.0.0.1:80"} 2`,
		`tcpwhy_connections_total{server="192.0.0.1:80",state="closed"} 1`,
		`tcpwhy_connections_open{server="192.0.0.1:80"} 1`,
		`tcpwhy_retransmissions_total{server="192.0.0.1:80",side="client"} 2`,
		`tcpwhy_retransmissions_total{server="192.0.0.1:80",side="server"} 3`,
		`tcpwhy_server_info{host="…@api.example",server="192.0.0.1:80"} 1`,
		`tcpwhy_frames_total{reason="tcp"} 40`,
		`tcpwhy_frames_total{reason="udp"} 0`,
		`tcpwhy_kernel_drops_total 7`,
		`tcpwhy_series_refused_total 0`,
		`tcpwhy_build_info{version="1.2.3"} 1`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
	if strings.Contains(body, "secret") || strings.Contains(body, "10.0.0.1") {
		t.Error("it names a client, or what nobody is to read")
	}
	if t.Failed() {
		t.Log(body)
	}
}

// TestLint: names and help are as Prometheus wants them.
func TestLint(t *testing.T) {
	m, url := served(t, 100)
	use(m)
	_, body := get(t, http.MethodGet, url+"/metrics")
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestBounds: a thousand services with every label and rule make no more series than allowed, and
// nothing is lost of the sums.
func TestBounds(t *testing.T) {
	m := newMetrics("", mostServers)
	const services = 1200
	for i := range services {
		for range leastExchanges + 2 {
			m.Exchange(nth(i), asked(fmt.Sprintf("host-%d", i)))
		}
		for rule := range 50 {
			m.Finding(fault(nth(i), fmt.Sprint("rule-", rule), report.Proven))
		}
	}
	all, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series, exchanges, lost := 0, 0.0, 0.0
	for _, f := range all {
		for _, of := range f.Metric {
			if !strings.HasPrefix(f.GetName(), "tcpwhy_") {
				continue
			}
			series++
			if h := of.Histogram; h != nil {
				series += histogramLines - 1
			}
			switch f.GetName() {
			case "tcpwhy_exchanges_total":
				exchanges += of.Counter.GetValue()
			case "tcpwhy_lost_seconds_total":
				lost += of.Counter.GetValue()
			}
		}
	}
	if most := mostSeries + 300; series > most || m.series > mostSeries { // those of the rest beside
		t.Errorf("%d series, %d counted", series, m.series)
	}
	if exchanges != services*(leastExchanges+2) || lost != services*50 {
		t.Errorf("%v exchanges, %v s lost", exchanges, lost)
	}
	if testutil.ToFloat64(m.total.refused) == 0 {
		t.Error("nothing was refused")
	}
}

// TestServers: who is not among the first stays among the others.
func TestServers(t *testing.T) {
	m := newMetrics("", 2)
	for i := range 2 * mostCandidates { // a scan
		m.Exchange(nth(1000+i), asked(""))
	}
	for range 3 * leastExchanges {
		for i := range 3 {
			m.Exchange(nth(i), asked(""))
		}
	}
	if len(m.apart) != 2 || m.of(nth(0).Server).name != "192.0.0.0:80" || m.of(nth(2).Server) != m.rest {
		t.Errorf("%d apart", len(m.apart))
	}
	if m.candidates != nil {
		t.Errorf("%d are still watched", len(m.candidates))
	}
}

// TestOpenNeverDrifts: a connection that began among the others ends there, too.
func TestOpenNeverDrifts(t *testing.T) {
	m := newMetrics("", 100)
	m.Connection(1, nth(1), nil)
	for range leastExchanges {
		m.Exchange(nth(1), asked(""))
	}
	m.Connection(2, nth(1), nil)
	m.Connection(1, nth(1), &report.ConnInfo{})
	m.Connection(3, nth(1), &report.ConnInfo{}) // it had no exchange
	if got := testutil.ToFloat64(m.rest.open); got != 0 {
		t.Errorf("%v of the others are open", got)
	}
	if got := testutil.ToFloat64(m.of(nth(1).Server).open); got != 1 || len(m.open) != 1 {
		t.Errorf("%v are open, %d known", got, len(m.open))
	}
}

func TestOnlyGet(t *testing.T) {
	_, url := served(t, 100)
	for method, want := range map[string]int{
		http.MethodGet: http.StatusOK, http.MethodPost: http.StatusMethodNotAllowed,
		http.MethodHead: http.StatusMethodNotAllowed, http.MethodDelete: http.StatusMethodNotAllowed,
	} {
		if status, _ := get(t, method, url+"/metrics"); status != want {
			t.Errorf("%s: %d, want %d", method, status, want)
		}
	}
	if status, _ := get(t, http.MethodGet, url+"/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("elsewhere: %d", status)
	}
}

func TestHealth(t *testing.T) {
	m, url := served(t, 100)
	if status, body := get(t, http.MethodGet, url+"/healthz"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("%d %s", status, body)
	}
	m.server.began = time.Now().Add(-longestSilence - time.Second)
	if status, body := get(t, http.MethodGet, url+"/healthz"); status != http.StatusServiceUnavailable {
		t.Errorf("hung: %d %s", status, body)
	}
	m.Tick(&capture.Stats{})
	if status, body := get(t, http.MethodGet, url+"/healthz"); status != http.StatusOK {
		t.Errorf("going on: %d %s", status, body)
	}
}

// TestHangingScraper: who asks and reads nothing, and who never ends his question, hold up neither
// counting nor other scrapers, and not the end.
func TestHangingScraper(t *testing.T) {
	m, url := served(t, 100)
	for i := range 200 {
		for range leastExchanges + 1 {
			m.Exchange(nth(i), asked(""))
		}
	}
	address := strings.TrimPrefix(url, "http://")
	for i := range mostConns / 2 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.(*net.TCPConn).SetReadBuffer(1024)
		question := "GET /metrics HTTP/1.1\r\nHost: a\r\n"
		if i%2 == 0 {
			question = strings.Repeat(question+"\r\n", 20)
		}
		io.WriteString(c, question)
	}
	done := make(chan bool)
	go func() {
		for i := range 20_000 {
			m.Exchange(nth(i%200), asked(""))
			m.Tick(&capture.Stats{})
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("counting waits for a scraper")
	}
	if status, _ := get(t, http.MethodGet, url+"/healthz"); status != http.StatusOK {
		t.Errorf("another scraper: %d", status)
	}
	closed := make(chan bool)
	go func() { m.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Fatal("the end waits for a scraper")
	}
}

func TestAddress(t *testing.T) {
	for given, want := range map[string]string{
		"9464": "127.0.0.1:9464", ":9464": "127.0.0.1:9464", "0.0.0.0:9464": "0.0.0.0:9464",
		"[::1]:9464": "[::1]:9464", "localhost:9464": "localhost:9464",
		"": "", "0": "", "host": "", "host:": "", "1:2:3": "", ":http": "", "70000": "",
	} {
		got, err := (&Options{Address: given}).address()
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", given, got, err)
		}
	}
	if err := (&Options{Servers: mostServers + 1}).Check(); err == nil {
		t.Error("too many services are no error")
	}
}

func TestInUse(t *testing.T) {
	l, err := net.Listen("tcp", loopback+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = (&Options{Address: l.Addr().String()}).Open("")
	if !errors.Is(err, syscall.EADDRINUSE) || Hint(err) == "" ||
		err.Error() != "--metrics "+l.Addr().String()+": address already in use" {
		t.Errorf("%v (%s)", err, Hint(err))
	}
}

// TestDashboard: every query of the dashboard asks for what is exported, by labels that it has.
func TestDashboard(t *testing.T) {
	m, url := served(t, 100)
	use(m)
	_, body := get(t, http.MethodGet, url+"/metrics")
	exported := map[string]map[string]bool{}
	label := regexp.MustCompile(`([a-z_]+)="`)
	for lines := bufio.NewScanner(strings.NewReader(body)); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), "{")
		name, _, _ = strings.Cut(name, " ")
		if exported[name] == nil {
			exported[name] = map[string]bool{}
		}
		for _, found := range label.FindAllStringSubmatch(rest, -1) {
			exported[name][found[1]] = true
		}
	}
	file, err := os.ReadFile("../../../packaging/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	queries := queriesOf(t, file)
	if len(queries) < 6 {
		t.Fatalf("%d queries", len(queries))
	}
	names := regexp.MustCompile(`tcpwhy_[a-z_]+`)
	by := regexp.MustCompile(`\bby \(([a-z_, ]+)\)`)
	for _, q := range queries {
		used := names.FindAllString(q, -1)
		if len(used) == 0 {
			t.Errorf("%s: asks for nothing of this program", q)
		}
		for _, name := range used {
			if exported[name] == nil {
				t.Errorf("%s: %s is not exported", q, name)
			}
			for _, group := range by.FindAllStringSubmatch(q, -1) {
				for of := range strings.SplitSeq(group[1], ", ") {
					if !exported[name][of] {
						t.Errorf("%s: %s has no label %s", q, name, of)
					}
				}
			}
		}
	}
}

// queriesOf are the queries of the panels of a dashboard.
func queriesOf(t *testing.T, dashboard []byte) (queries []string) {
	t.Helper()
	var d struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(dashboard, &d); err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			queries = append(queries, q.Expr)
		}
	}
	return queries
}
