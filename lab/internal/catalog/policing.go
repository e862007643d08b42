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
	body    int // octets of each
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
func (p pipe) scenario(family, about string,
	e scenario.Expect) func(time.Duration) scenario.Scenario {
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
		Also: afterPolicer(),
	})
}

// policingScenarios are transfers that a policer limits, and such that lose segments for other
// reasons.
func policingScenarios() []scenario.Scenario {
	const (
		cubic, bbr = "cubic", "bbr"
		kB, mB     = 1000, 1_000_000
		frame      = 1514 // a bucket of one frame passes frames that come apart
	)
	policer := func(kbit int64, bucket int, control string, conns, count, body int,
		rtts ...int) []scenario.Scenario {
		return at(pipe{kbit, bucket, 0, 0, control, conns, count, body}.policed(), rtts...)
	}
	other := func(about string, kbit int64, queue int, loss float64, control string,
		conns, count, body int, rtts ...int) []scenario.Scenario {
		p := pipe{kbit, 0, queue, loss, control, conns, count, body}
		return at(p.lookalike(about), rtts...)
	}
	shaped := "the path carries no more, with a queue before it"
	random := "the path loses segments at random"
	return slices.Concat(
		policer(3000, frame, cubic, 1, 3, 100*kB, 20),
		policer(500, frame, cubic, 1, 3, 50*kB, 20),
		policer(3000, 8*kB, cubic, 1, 4, mB, 20, 100),
		policer(3000, 8*kB, bbr, 1, 4, mB, 20),
		policer(10_000, 8*kB, cubic, 1, 3, 500*kB, 100),
		policer(10_000, 100*kB, cubic, 1, 5, 2*mB, 20, 100),
		policer(10_000, 100*kB, bbr, 1, 5, 2*mB, 20, 100),
		policer(10_000, 2*mB, cubic, 1, 5, 2*mB, 20),
		policer(3000, 100*kB, cubic, 2, 3, mB, 20, 100),
		policer(10_000, 100*kB, bbr, 2, 5, mB, 100),
		policer(1500, 100*kB, bbr, 1, 3, mB, 20),
		policer(3000, 30*kB, cubic, 1, 3, 200*kB, 20),
		other(shaped, 3000, 64*kB, 0, cubic, 1, 4, mB, 20),
		other(shaped, 3000, 20*kB, 0, cubic, 2, 3, mB, 100),
		other(shaped, 10_000, 64*kB, 0, bbr, 1, 4, 2*mB, 100),
		other(random, 20_000, 512*kB, .01, cubic, 1, 3, 200*kB, 20),
		other(random, 100_000, 512*kB, .01, cubic, 1, 4, mB, 20, 100),
		other(random, 100_000, 512*kB, .02, bbr, 1, 4, mB, 20),
	)
}
