package analysis

import (
	"fmt"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
)

// get is a request for a target, with further fields.
func get(target string, fields ...string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + strings.Join(fields, "") + "\r\n"
}

// checkQuiet fails for every finding above info.
func checkQuiet(t *testing.T, r *report.Report) {
	t.Helper()
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Severity > report.Info {
			t.Errorf("%s/%s %s, %d times: %s", f.Rule, f.Cause, f.Severity, f.Count, f.Message)
		}
	}
}

func TestOrdinaryClients(t *testing.T) {
	const rtt = 0.02
	t.Run("curl, started again and again", func(t *testing.T) {
		var talks []*talk
		for i := range 6 {
			at := float64(i) * 0.2
			talks = append(talks, newTalk(40000+i).open(at, rtt).exchange(at+rtt+0.0005, rtt, get("/a", "User-Agent: curl/8.5.0\r\n"), ok).bye(at+0.045, rtt))
		}
		checkQuiet(t, connReport(t, talks...))
	})
	t.Run("a health check every five seconds", func(t *testing.T) {
		var talks []*talk
		for i := range 12 {
			at := float64(i) * 5
			k := newTalk(40000+i).open(at, rtt).exchange(at+rtt+0.0005, rtt, get("/health", "User-Agent: kube-probe/1.29\r\nConnection: close\r\n"), closing)
			talks = append(talks, k.serverFin(at+0.041).ack(at+0.0411).clientFin(at+0.0412))
		}
		checkQuiet(t, connReport(t, talks...))
	})
	t.Run("a check that only connects", func(t *testing.T) {
		var talks []*talk
		for i := range 30 {
			talks = append(talks, newTalk(40000+i).open(float64(i), rtt).bye(float64(i)+rtt+0.001, rtt))
		}
		checkQuiet(t, connReport(t, talks...))
	})
	t.Run("a browser with six connections", func(t *testing.T) {
		var talks []*talk
		for i := range 6 {
			k := newTalk(40000+i).open(float64(i)/1000, rtt)
			at := float64(i)/1000 + rtt + 0.0005
			for n := range 10 {
				k.exchange(at, rtt+0.01, get(fmt.Sprintf("/%d/%d", i, n)), ok)
				at += rtt + 0.0105
			}
			talks = append(talks, k.serverFin(60).ack(60.01).clientFin(60.02))
		}
		checkQuiet(t, connReport(t, talks...))
	})
	t.Run("a load generator with kept connections", func(t *testing.T) {
		var talks []*talk
		for i := range 20 {
			k := newTalk(40000+i).open(float64(i)/1000, 0.0005)
			at := float64(i)/1000 + 0.0006
			for range 30 {
				k.exchange(at, 0.001, get("/"), ok)
				at += 0.00105
			}
			talks = append(talks, k.bye(at, 0.0005))
		}
		if r := connReport(t, talks...); foundBy(r) != "" {
			t.Errorf("found %s", foundBy(r))
		}
	})
}

func TestCrowds(t *testing.T) {
	const rtt = 0.05
	parallel := func(n int, busy float64) (talks []*talk) {
		for i := range n {
			at := float64(i) / 1000
			talks = append(talks, newTalk(40000+i).open(at, rtt).exchange(at+rtt+0.0005, busy, get(fmt.Sprint("/", i)), ok))
		}
		return talks
	}
	unused := parallel(2, rtt)
	for i := range 12 {
		at := 1 + float64(i)/10
		unused = append(unused, newTalk(41000+i).open(at, rtt).bye(at+0.06, rtt))
	}
	var pooled []*talk
	for i := range 2 {
		k, at := newTalk(40000+i).open(0, rtt), rtt+0.0005+float64(i)/1000
		for n := range 20 {
			k.exchange(at, 0.1, get(fmt.Sprintf("/%d/%d", i, n)), ok)
			at += 0.1005
		}
		pooled = append(pooled, k)
	}
	chain := newTalk(40000).open(0, rtt)
	for i := range 50 {
		chain.exchange(0.06+float64(i)*0.051, rtt, get(fmt.Sprint("/", i)), ok)
	}
	polling := newTalk(40000).open(0, rtt)
	for i := range 50 {
		polling.exchange(0.06+float64(i)*0.051, rtt, get("/news"), ok)
	}
	runConnCases(t, []connCase{
		{"six at once", parallel(6, rtt), ""},
		{"eight at once, a set-up each", parallel(8, rtt), "connect-cost/×8:info"},
		{"connections never used", unused, "parallel-connections/churn×1:info"},
		{"two connections, always full", pooled, ""},
		{"one thing after the other", []*talk{chain}, "serial-requests/×1:info"},
		{"the same thing again and again", []*talk{polling}, ""},
	})
}

func TestPortLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("writes thousands of connections")
	}
	churn := func(rate float64, n int) (talks []*talk) {
		for i := range n {
			at := float64(i) / rate
			talks = append(talks, newTalk(33000+i).open(at, 0.0002).exchange(at+0.0003, 0.0002, get("/"), ok).bye(at+0.0006, 0.0002))
		}
		return talks
	}
	find := func(r *report.Report) *report.Finding {
		for i := range r.Findings {
			if r.Findings[i].Rule == "port-exhaustion" {
				return &r.Findings[i]
			}
		}
		return nil
	}
	if f := find(connReport(t, churn(400, 5200)...)); f == nil || f.Severity != report.High || f.Cause != "time-wait-load" {
		t.Errorf("400 connections a second: %+v, want high", f)
	}
	if f := find(connReport(t, churn(100, 1500)...)); f != nil {
		t.Errorf("100 connections a second: %+v, want nothing", f)
	}
}

func TestAgeLimit(t *testing.T) {
	const rtt = 0.05
	var talks []*talk
	at := 0.0
	for i, requests := range []int{3, 5, 2, 4, 6} {
		k := newTalk(40000+i).open(at, rtt)
		for n := range requests {
			response := ok
			if n == requests-1 {
				response = closing
			}
			k.exchange(at+rtt+0.0005+float64(n)*9.9/float64(requests-1), rtt, get("/"), response)
		}
		talks = append(talks, k.serverFin(at+10.01).ack(at+10.02).clientFin(at+10.03))
		at += 10.2
	}
	r := connReport(t, talks...)
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Rule == "missed-reuse" && f.Cause == "age-limit" {
			return
		}
	}
	t.Errorf("found %s, want missed-reuse/age-limit", foundBy(r))
}
