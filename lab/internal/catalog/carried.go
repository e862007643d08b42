//go:build linux

package catalog

import (
	"fmt"
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// carriedScenarios are transfers in which a connection's window goes from one exchange on to the
// next, with the controls of congestion that make windows differently.
func carriedScenarios() []scenario.Scenario {
	all := slices.Concat(at(series{"cubic", 20, 21, false}.kept, 50),
		at(series{"bbr", 20, 21, false}.kept, 50))
	for _, control := range []string{"cubic", "bbr"} {
		all = slices.Concat(all,
			at(series{control, 8, 100, false}.kept, 50, 100),
			at(series{control, 3, 500, false}.kept, 50, 100),
			at(series{control, 8, 500, false}.kept, 50, 100),
			at(series{control, 3, 400, true}.kept, 50, 100),
			at(series{control, 8, 400, true}.kept, 50, 100),
			at(series{control, 3, 400, false}.idle, 50, 100),
			at(series{control, 3, 300, true}.idle, 50),
			at(series{control, 1, 500, false}.initial, 50, 100),
			at(series{control, 1, 400, true}.initial, 50, 100),
			at(series{control, 2, 500, false}.lossy, 100),
			at(series{control, 2, 500, true}.lossy, 100))
		for _, buffer := range []int{8, 16, 48} {
			all = slices.Concat(all, at(series{control, 1, 300, false}.buffered(buffer), 50, 100),
				at(series{control, 1, 300, true}.buffered(buffer), 50, 100))
		}
	}
	return all
}

// series is messages of one size, one after the other.
type series struct {
	control string // of congestion
	count   int
	kB      int  // thousands of octets of each
	upload  bool // requests, not responses
}

// scenario is the series as it is, with nothing wrong.
func (r series) scenario(family, about string) scenario.Scenario {
	s := scenario.Scenario{
		Name:    fmt.Sprintf("%s-%s-%dx%dk", family, r.control, r.count, r.kB),
		Sysctls: map[string]string{world.CongestionControl: r.control},
		Server:  own.Server{Sockopts: prompt(), Body: 120},
		Client:  own.Client{Sockopts: prompt(), Count: r.count, Body: 1000 * r.kB},
		Snaplen: 200,
	}
	what := "requests"
	if r.upload {
		s.Name += "-upload"
	} else {
		s.Server = own.Server{Sockopts: prompt(), Body: 1000 * r.kB}
		s.Client = own.Client{Sockopts: prompt(), Count: r.count}
		what = "responses"
	}
	s.About = fmt.Sprintf("%s: %d %s of %d kB, with %s", about, r.count, what, r.kB, r.control)
	return s
}

// kept opens a connection for each message; in the twin they share one.
func (r series) kept(time.Duration) scenario.Scenario {
	s := r.scenario("carried", "a new connection each time, whose window is small again")
	s.Expect = scenario.Expect{
		Rule:  "missed-reuse",
		Cause: "client-closed",
		Count: r.count - 1,
		Also:  afterWindows(),
	}
	onClient(func(c *own.Client) { c.Fresh = true })(&s)
	s.Fix = onClient(func(c *own.Client) { c.Fresh = false })
	return s
}

// idle pauses for so long that a kernel forgets the window, unless it is told not to.
func (r series) idle(time.Duration) scenario.Scenario {
	s := r.scenario("forgotten", "with 3 s between them, in which the kernel forgets the window")
	s.Expect = scenario.Expect{
		Rule:  "slow-start-after-idle",
		Count: r.count - 1,
		Also:  afterWindows(),
	}
	if r.upload {
		s.Expect.Cause = "request"
	}
	onClient(func(c *own.Client) { c.Interval = 3 * time.Second })(&s)
	s.Fix = func(s *scenario.Scenario) {
		s.Sysctls = map[string]string{
			world.CongestionControl:              r.control,
			"net.ipv4.tcp_slow_start_after_idle": "0",
		}
	}
	if r.control == "bbr" { // its kernel keeps the window (net/ipv4/tcp_output.c)
		s.Name, s.Expect, s.Fix = "lookalike-"+s.Name, scenario.Expect{Also: afterWindows()}, nil
	}
	return s
}

// initial begins with the usual window; in the twin, with 32 segments.
func (r series) initial(time.Duration) scenario.Scenario {
	s := r.scenario("initial", "a new connection with the usual initial window")
	s.Expect = scenario.Expect{Rule: "slow-start", Count: 1, Also: afterWindows()}
	s.Fix = func(s *scenario.Scenario) { s.ServerRoute.InitCwnd = 32 }
	if r.upload {
		s.Expect.Cause = "request"
		s.Fix = func(s *scenario.Scenario) { s.ClientRoute.InitCwnd = 32 }
	}
	return s
}

// lossy loses 2 % of all frames; the twin none.
func (r series) lossy(time.Duration) scenario.Scenario {
	s := r.scenario("lossy", "2 % of all frames are lost at random")
	s.Expect = scenario.Expect{
		Rule:   "packet-loss",
		Also:   append(afterWindows(), "retransmission-timeout", "delayed-ack"),
		Shares: []string{"retransmission-timeout"},
	}
	s.Link = world.Link{Loss: .02, Seed: 11}
	s.Fix = func(s *scenario.Scenario) { s.Link.Loss = 0 }
	return s
}

// buffered has a receive buffer of so many KiB; the twin the kernel's own.
func (r series) buffered(buffer int) func(time.Duration) scenario.Scenario {
	return func(time.Duration) scenario.Scenario {
		s := r.scenario(fmt.Sprintf("buffered-%dk", buffer),
			fmt.Sprintf("a receive buffer of %d KiB", buffer))
		s.Expect = scenario.Expect{
			Rule:  "receive-window",
			Cause: "fixed",
			Also:  afterWindows(),
		}
		change := func(o *peer.Sockopts) { o.RcvBuf = buffer << 10 }
		back := func(o *peer.Sockopts) { o.RcvBuf = 0 }
		onEnd := func(f func(*peer.Sockopts)) func(*scenario.Scenario) {
			if r.upload {
				return onServer(func(o *own.Server) { f(&o.Sockopts) })
			}
			return onClient(func(c *own.Client) { f(&c.Sockopts) })
		}
		if r.upload {
			s.Expect.Cause = "fixed-request"
		}
		onEnd(change)(&s)
		s.Fix = onEnd(back)
		return s
	}
}

// afterWindows are the rules that may say something of such transfers besides.
func afterWindows() []string {
	return []string{"slow-start", "receive-window", "connect-cost"}
}
