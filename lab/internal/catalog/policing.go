//go:build linux

package catalog

import (
	"fmt"
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// pipe is a path that carries less than is sent, and what is sent through it.
type pipe struct {
	kbit    int64 // per second
	bucket  int   // octets that pass at once; 0: no policer, but a queue
	queue   int   // octets that may wait, without a policer
	loss    float64
	control string // of congestion
	conns   int
	count   int // responses on each connection
	body    int
}

// name tells one of a family from the others.
func (p pipe) name(family string) string {
	room := p.bucket
	if p.bucket == 0 {
		room = p.queue
	}
	return fmt.Sprintf("%s-%dkbit-%dk-%s-%dx%d", family, p.kbit, room/1000, p.control, p.conns,
		p.count)
}

// scenario is the recording of what is sent through the pipe.
func (p pipe) scenario(family, about string, e scenario.Expect) func(time.Duration) scenario.Scenario {
	return func(time.Duration) scenario.Scenario {
		e.Timeless = true
		return scenario.Scenario{
			Name: p.name(family),
			About: fmt.Sprintf("%s: %d responses of %d kB on each of %d connections, with %s",
				about, p.count, p.body/1000, p.conns, p.control),
			Expect: e,
			Link: world.Link{
				Rate:   [2]int64{0, p.kbit * 1000},
				Bucket: [2]int{0, p.bucket},
				Queue:  [2]int{0, p.queue},
				Loss:   p.loss,
				Seed:   p.kbit + int64(p.bucket+p.queue+p.conns),
			},
			Sysctls: map[string]string{world.CongestionControl: p.control},
			Server:  own.Server{Sockopts: prompt(), Body: p.body},
			Client:  own.Client{Sockopts: prompt(), Count: p.count, Parallel: p.conns},
			Snaplen: 96,
		}
	}
}

// policed is what a policer does to large responses.
func (p pipe) policed() func(time.Duration) scenario.Scenario {
	about := fmt.Sprintf("a policer lets %d kbit/s to the client pass, and %d kB at once after "+
		"a pause", p.kbit, p.bucket/1000)
	return p.scenario("policer", about, scenario.Expect{
		Rule:  "bandwidth",
		Cause: "policer",
		Also:  afterPolicer(),
	})
}

// afterPolicer are the rules that may say something of policed transfers besides.
func afterPolicer() []string {
	return []string{"slow-start", "packet-loss", "retransmission-timeout", "slow-start-after-idle",
		"connect-cost", "missed-reuse"}
}

// lookalike loses segments, and polices nothing.
func (p pipe) lookalike(about string) func(time.Duration) scenario.Scenario {
	return p.scenario("lookalike-policer", about, scenario.Expect{
		Also: append(afterPolicer(), "bandwidth/path-rate", "bandwidth/bufferbloat"),
	})
}

// policingScenarios are transfers that a policer limits, and such that lose segments for other
// reasons.
func policingScenarios() []scenario.Scenario {
	const one, mega = 1514, 1_000_000 // a bucket of one frame passes frames that come apart
	shaped := "the path carries no more, with a queue before it"
	random := "the path loses segments at random"
	return slices.Concat(
		at(pipe{kbit: 3000, bucket: one, control: "cubic", conns: 1, count: 3, body: mega / 10}.policed(), 20),
		at(pipe{kbit: 500, bucket: one, control: "cubic", conns: 1, count: 3, body: mega / 20}.policed(), 20),
		at(pipe{kbit: 3000, bucket: 8000, control: "cubic", conns: 1, count: 4, body: mega}.policed(), 20, 100),
		at(pipe{kbit: 3000, bucket: 8000, control: "bbr", conns: 1, count: 4, body: mega}.policed(), 20),
		at(pipe{kbit: 10000, bucket: 8000, control: "cubic", conns: 1, count: 3, body: mega / 2}.policed(), 100),
		at(pipe{kbit: 10000, bucket: 100_000, control: "cubic", conns: 1, count: 5, body: 2 * mega}.policed(), 20, 100),
		at(pipe{kbit: 10000, bucket: 100_000, control: "bbr", conns: 1, count: 5, body: 2 * mega}.policed(), 20, 100),
		at(pipe{kbit: 10000, bucket: 2_000_000, control: "cubic", conns: 1, count: 5, body: 2 * mega}.policed(), 20),
		at(pipe{kbit: 3000, bucket: 100_000, control: "cubic", conns: 2, count: 3, body: mega}.policed(), 20, 100),
		at(pipe{kbit: 10000, bucket: 100_000, control: "bbr", conns: 2, count: 5, body: mega}.policed(), 100),
		at(pipe{kbit: 1500, bucket: 100_000, control: "bbr", conns: 1, count: 3, body: mega}.policed(), 20),
		at(pipe{kbit: 3000, bucket: 30_000, control: "cubic", conns: 1, count: 3, body: mega / 5}.policed(), 20),
		at(pipe{kbit: 20_000, queue: 512_000, loss: .01, control: "cubic", conns: 1, count: 3, body: mega / 5}.lookalike(random), 20),
		at(pipe{kbit: 3000, queue: 64_000, control: "cubic", conns: 1, count: 4, body: mega}.lookalike(shaped), 20),
		at(pipe{kbit: 3000, queue: 20_000, control: "cubic", conns: 2, count: 3, body: mega}.lookalike(shaped), 100),
		at(pipe{kbit: 10000, queue: 64_000, control: "bbr", conns: 1, count: 4, body: 2 * mega}.lookalike(shaped), 100),
		at(pipe{kbit: 100_000, queue: 512_000, loss: .01, control: "cubic", conns: 1, count: 4, body: mega}.lookalike(random), 20, 100),
		at(pipe{kbit: 100_000, queue: 512_000, loss: .02, control: "bbr", conns: 1, count: 4, body: mega}.lookalike(random), 20),
	)
}
