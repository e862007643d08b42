//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// bottleneckScenarios share a path that carries less than is sent.
func bottleneckScenarios() []scenario.Scenario {
	return slices.Concat(at(bloated, 10, 50), at(bloatedForKept, 10, 50), at(bloatedForFresh, 10),
		at(bloatedLater, 10), at(bloatedLaterBare, 10), at(bloatedUp, 10), at(shortQueue, 10),
		at(policed, 20), at(bucketPoliced, 20, 100))
}

func bloated(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "bufferbloat",
		About: "the path carries 4 Mbit/s with a queue of 200 kB before it: a large response " +
			"fills it",
		Expect: scenario.Expect{
			Rule:     "bandwidth",
			Cause:    "bufferbloat",
			From:     "server",
			Also:     []string{"slow-start"},
			Timeless: true,
		},
		Link:    world.Link{Rate: [2]int64{0, 4_000_000}, Queue: [2]int{0, 200_000}},
		Server:  own.Server{Sockopts: prompt(), Body: 300_000},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

// bloatedFor is what a deep queue does to others: small requests wait in it behind a large response
// of another connection.
func bloatedFor(name, about string, client own.Client) scenario.Scenario {
	client.Sockopts, client.Count, client.Interval = prompt(), 8, 120*time.Millisecond
	return scenario.Scenario{
		Name: name,
		About: "the path carries 4 Mbit/s with a queue of 200 kB before it, which a large " +
			"response fills: " + about,
		// at the server, what its answers wait for does not show
		Expect: scenario.Expect{Rule: "bandwidth", Cause: "bufferbloat", Alone: true,
			Also: []string{"slow-start", "connect-cost", "missed-reuse", "slow-start-after-idle"}},
		Link:   world.Link{Rate: [2]int64{0, 4_000_000}, Queue: [2]int{0, 200_000}},
		Server: own.Server{Sockopts: prompt(), Body: 600, Response: own.Response{Large: 600_000}},
		Client: own.Beside{
			Client: client,
			Other:  own.Client{Sockopts: prompt(), Count: 1, Request: own.Request{Path: "/large"}},
			Ahead:  300 * time.Millisecond,
		},
		Fix:     func(s *scenario.Scenario) { s.Link.Fair = true },
		Snaplen: 200,
	}
}

func bloatedForKept(time.Duration) scenario.Scenario {
	return bloatedFor("bufferbloat-for-others", "small requests of a kept connection wait in it",
		own.Client{})
}

func bloatedForFresh(time.Duration) scenario.Scenario {
	s := bloatedFor("bufferbloat-for-newcomers",
		"small requests on new connections wait in it, handshakes too",
		own.Client{Pool: own.Pool{Fresh: true}})
	// on a connection that need not have been opened, the handshake is that one's
	s.Expect.Shares = []string{"missed-reuse"}
	return s
}

func bloatedLater(time.Duration) scenario.Scenario {
	s := bloatedFor("bufferbloat-comes-later",
		"small requests of a kept connection, quick before, wait in it", own.Client{})
	b := s.Client.(own.Beside)
	b.SameTarget, b.Count, b.Interval = true, 30, 50*time.Millisecond
	b.Ahead, b.Other.Preconnect = 0, 700*time.Millisecond
	s.Client = b
	return s
}

// bloatedUp is the same in the other direction: requests wait behind a large request, before the
// server has them.
func bloatedUp(time.Duration) scenario.Scenario {
	s := bloatedLater(0)
	s.Name = "bufferbloat-of-upload"
	s.About = "the path carries 4 Mbit/s to the server with a queue of 200 kB before it, which a " +
		"large request fills: small requests of a kept connection, quick before, wait in it"
	s.Link = world.Link{Rate: [2]int64{4_000_000, 0}, Queue: [2]int{200_000, 0}}
	b := s.Client.(own.Beside)
	b.Other.Body = 600_000
	s.Client = b
	onServer(func(o *own.Server) { o.Large = 600 })(&s)
	return s
}

func bloatedLaterBare(time.Duration) scenario.Scenario {
	s := bloatedLater(0)
	s.Name += "-bare"
	s.Sysctls = map[string]string{"net.ipv4.tcp_timestamps": "0"}
	return s
}

// shortQueue is what a policer does: loss at a rate.
func shortQueue(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:  "loss-in-short-queue",
		About: "the path carries 4 Mbit/s with a queue of 8 kB before it: slow start overflows it",
		Expect: scenario.Expect{
			Rule:     "packet-loss",
			Also:     []string{"slow-start", "bandwidth", "retransmission-timeout"},
			Timeless: true,
		},
		Link:    world.Link{Rate: [2]int64{0, 4_000_000}, Queue: [2]int{0, 8_000}},
		Server:  own.Server{Sockopts: prompt(), Body: 200_000},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

// policed is a long response over a path whose queue is too short for its rate: losses, and the
// path is busy most of the time nevertheless.
func policed(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "loss-at-policer",
		About: "the path carries 8 Mbit/s and queues no more than 10 kB: a response of 1.5 MB " +
			"loses segments again and again",
		Expect: scenario.Expect{
			Rule: "packet-loss",
			Also: []string{"slow-start", "bandwidth", "retransmission-timeout"},
		},
		Link:    world.Link{Rate: [2]int64{0, 8_000_000}, Queue: [2]int{0, 10_000}},
		Server:  own.Server{Sockopts: prompt(), Body: 1_500_000},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Fix:     func(s *scenario.Scenario) { s.Link.Queue = [2]int{} },
		Snaplen: 128,
	}
}

// bucketPoliced sends five times what a policer with a bucket lets pass: what is lost is sent again
// while the path is full, and its bound is octets over rate.
func bucketPoliced(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "policer-token-bucket",
		About: "a policer lets 3 Mbit/s to the client pass, and 100 kB at once after a pause: " +
			"five responses of 2 MB lose segments and take as long as the rate says",
		Expect: scenario.Expect{
			Rule:     "bandwidth",
			Cause:    "policer",
			Also:     []string{"slow-start", "packet-loss", "retransmission-timeout"},
			Timeless: true,
		},
		Link:    world.Link{Rate: [2]int64{0, 3_000_000}, Bucket: [2]int{0, 100_000}},
		Server:  own.Server{Sockopts: prompt(), Body: 2_000_000},
		Client:  own.Client{Sockopts: prompt(), Count: 5},
		Fix:     func(s *scenario.Scenario) { s.Link.Rate, s.Link.Bucket = [2]int64{}, [2]int{} },
		Snaplen: 128,
	}
}
