package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/tcptext"
)

// keptAlive writes exchanges of a client that does not pipeline, on one connection: each has a
// target of its own, and a status that follows from it.
type keptAlive struct {
	random *rand.Rand
	at     time.Duration
	rtt    time.Duration
	said   [2]int // octets of client and server
	bare   bool   // responses are acknowledged before the next request
	text   strings.Builder
	whose  []int // the exchange whose data a segment carries; -1: none
}

// segment writes one of them.
func (k *keptAlive) segment(of int, from int, flags, payload string) {
	fmt.Fprintf(&k.text, "%.6f %c %s %d:%d(%d) ack %d win 502", k.at.Seconds(), "><"[from], flags,
		1+k.said[from], 1+k.said[from]+len(payload), len(payload), 1+k.said[1-from])
	if payload != "" {
		fmt.Fprintf(&k.text, " %q", payload)
		k.said[from] += len(payload)
	} else {
		of = -1
	}
	k.text.WriteByte('\n')
	k.whose = append(k.whose, of)
}

// statusOf is what exchange i is answered.
func statusOf(i int) int { return []int{200, 404, 204, 301, 201}[i%5] }

// response is what the server writes, one string for each segment.
func (k *keptAlive) response(i int) []string {
	first := fmt.Sprintf("HTTP/1.1 %d X\r\n", statusOf(i))
	body := strings.Repeat("x", 1+k.random.IntN(500))
	length := fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))
	if statusOf(i) == 204 {
		return []string{first + "\r\n"}
	}
	switch k.random.IntN(4) {
	case 0:
		return []string{first + length + body}
	case 1:
		return []string{first + length, body}
	case 2:
		return []string{first, length + body[:len(body)/2], body[len(body)/2:]}
	}
	return []string{first + "Transfer-Encoding: chunked\r\n\r\n",
		fmt.Sprintf("%x\r\n%s\r\n", len(body), body), "0\r\n\r\n"}
}

// exchange writes the i-th.
func (k *keptAlive) exchange(i int) {
	request := fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i)
	if k.random.IntN(4) == 0 {
		request = fmt.Sprintf("PUT /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n", i)
		k.segment(i, 0, "P.", request)
		k.at += 20 * time.Microsecond
		request = "123456789"
	}
	k.segment(i, 0, "P.", request)
	k.at += k.rtt
	for _, part := range k.response(i) {
		k.segment(i, 1, "P.", part)
		k.at += 30 * time.Microsecond
		if k.bare {
			k.segment(-1, 0, ".", "")
			k.at += 30 * time.Microsecond
		}
	}
	k.at += time.Duration(k.random.IntN(4)) * 3 * time.Millisecond
}

// keepAlive is a capture of n exchanges.
func keepAlive(seed uint64, n int) *keptAlive {
	k := &keptAlive{random: rand.New(rand.NewPCG(seed, 20))}
	k.rtt = []time.Duration{60, 2000, 30000}[k.random.IntN(3)] * time.Microsecond
	k.bare = k.random.IntN(2) == 0
	k.text.WriteString("0.000000 > S 0:0(0) win 64240 <mss 1460>\n" +
		"0.000040 < S. 0:0(0) ack 1 win 64240 <mss 1460>\n0.000050 > . 1:1(0) ack 1 win 502\n")
	k.whose = []int{-1, -1, -1}
	k.at = time.Millisecond
	for i := range n {
		k.exchange(i)
	}
	fmt.Fprintf(&k.text, "%.6f > F. %d:%d(0) ack %d win 502\n%.6f < F. %d:%d(0) ack %d win 502\n",
		k.at.Seconds(), 1+k.said[0], 1+k.said[0], 1+k.said[1],
		(k.at + k.rtt).Seconds(), 1+k.said[1], 1+k.said[1], 2+k.said[0])
	fmt.Fprintf(
		&k.text,
		"%.6f > . %d:%d(0) ack %d win 502\n",
		(k.at + k.rtt + 50*time.Microsecond).Seconds(),
		2+k.said[0],
		2+k.said[0],
		2+k.said[1],
	)
	return k
}

// segments are what the capture shows but for those that drop names.
func (k *keptAlive) segments(t *testing.T, drop map[int]bool) (out []capture.Segment) {
	t.Helper()
	all, err := tcptext.Parse(k.text.String())
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range all {
		if !drop[i] {
			out = append(out, s)
		}
	}
	return out
}

// TestUnseenResponse: frames that a capture of a kept-alive connection lacks change nothing for the
// exchanges whose data is all there: each response stays with its request, none fails, and nobody
// waits for the response before.
func TestUnseenResponse(t *testing.T) {
	t.Parallel()
	const exchanges = 12
	connections := uint64(40)
	if testing.Short() {
		connections = 6
	}
	for seed := range connections {
		k := keepAlive(seed, exchanges)
		for i, of := range k.whose {
			if of < 0 {
				continue
			}
			for _, more := range []int{0, 1, 2, 4, 7} { // what is dropped comes in bursts
				drop, hit := map[int]bool{}, map[int]bool{}
				for j := i; j <= i+more && j < len(k.whose); j++ {
					drop[j], hit[k.whose[j]] = true, true
				}
				k.check(
					t,
					fmt.Sprintf("seed %d without %d to %d", seed, i+1, i+1+more),
					drop,
					hit,
					exchanges,
				)
			}
		}
	}
}

// check compares a capture with what was said.
func (k *keptAlive) check(t *testing.T, name string, drop, hit map[int]bool, n int) {
	t.Helper()
	r := analyseData(t, writeCapture(t, k.segments(t, drop)))
	of := map[string]report.ExchangeInfo{}
	for _, x := range r.Exchanges {
		if x.Outcome > exchange.Complete {
			t.Errorf("%s: %s failed: %v", name, x.Target, x.Outcome)
		}
		if w := labelTotal(x.Times, report.PipelineHOL); w > 0 {
			t.Errorf("%s: %s waited %v behind another", name, x.Target, w)
		}
		of[x.Target] = x
	}
	for i := range n {
		target := fmt.Sprintf("/%d", i)
		x, ok := of[target]
		switch {
		case hit[i]:
			if ok && x.Status != 0 && x.Status != statusOf(i) {
				t.Errorf("%s: %s was answered %d, not %d", name, target, x.Status, statusOf(i))
			}
		case !ok:
			t.Errorf("%s: %s is not there", name, target)
		case x.Status != statusOf(i) || x.Outcome != exchange.Complete:
			t.Errorf(
				"%s: %s was answered %d, %v, not %d",
				name,
				target,
				x.Status,
				x.Outcome,
				statusOf(i),
			)
		}
	}
}
