//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// lossScenarios lose segments: what is sent again, how, and when.
func lossScenarios() []scenario.Scenario {
	return slices.Concat(at(synLoss, 0, 10, 50), at(synAckLoss, 10, 50), at(tailLoss, 10, 50),
		at(singleLoss, 0, 10, 50), at(requestLoss, 10, 50), at(middleLoss, 10, 50),
		at(randomLoss, 10, 50), at(uploadRandomLoss, 10, 50), at(lostRetransmission, 10, 50),
		at(uploadLoss, 10, 50), at(finLoss, 10), at(ackLoss, 10), at(outage, 20))
}

func synLoss(time.Duration) scenario.Scenario {
	server, client := small(2)
	return scenario.Scenario{
		Name:  "syn-loss",
		About: "the first SYN is lost, and the client waits a second to send it again",
		Expect: scenario.Expect{
			Rule:  "syn-retransmission",
			Cause: "unknown",
			Count: 1,
			Alone: true,
		},
		Link:   world.Link{Drops: []world.Drop{{ToServer: true, Kind: "syn", First: 1}}},
		Server: server, Client: client, Fix: noDrops,
	}
}

func synAckLoss(time.Duration) scenario.Scenario {
	s := synLoss(0)
	s.Name = "syn-ack-loss"
	s.About = "the first SYN-ACK is lost, and both sides wait a second to repeat themselves"
	s.Expect.Alone = false
	s.Link.Drops = []world.Drop{{ToServer: false, Kind: "synack", First: 1}}
	return s
}

func tailLoss(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "tail-loss",
		About: "the last of the four segments of the second response is lost: nothing after it " +
			"tells the sender",
		Expect: scenario.Expect{Rule: "retransmission-timeout", Cause: "tail", Count: 1},
		Link:   world.Link{Drops: []world.Drop{{Kind: "data", First: 8}}},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     5000,
		}, Client: own.Client{Sockopts: prompt(), Count: 3}, Fix: noDrops,
	}
}

func singleLoss(time.Duration) scenario.Scenario {
	server, client := small(3)
	return scenario.Scenario{
		Name:   "single-segment-loss",
		About:  "the second response, a single segment, is lost: only the timer repairs it",
		Expect: scenario.Expect{Rule: "retransmission-timeout", Cause: "single", Count: 1},
		Link:   world.Link{Drops: []world.Drop{{Kind: "data", First: 2}}},
		Server: server, Client: client, Fix: noDrops,
	}
}

func requestLoss(time.Duration) scenario.Scenario {
	s := singleLoss(0)
	s.Name = "request-loss"
	s.About = "the second request is lost: only the client's timer repairs it"
	s.Link.Drops = []world.Drop{{ToServer: true, Kind: "data", First: 2}}
	s.Expect.Alone = true // whoever sees only the second copy cannot know of the first
	return s
}

func middleLoss(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:    "loss-repaired-quickly",
		About:   "one segment in the middle of 100 kB is lost, and repaired by fast retransmission",
		Expect:  scenario.Expect{Rule: "packet-loss", Also: []string{"slow-start"}},
		Link:    world.Link{Drops: []world.Drop{{Kind: "data", First: 40}}},
		Server:  own.Server{Sockopts: prompt(), Body: 100_000},
		Client:  own.Client{Sockopts: prompt(), Count: 1},
		Fix:     noDrops,
		Snaplen: 400,
	}
}

func randomLoss(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:  "random-loss",
		About: "3 % of all frames are lost at random",
		Expect: scenario.Expect{
			Rule:   "packet-loss",
			Also:   []string{"slow-start", "retransmission-timeout", "delayed-ack"},
			Shares: []string{"retransmission-timeout"},
		},
		Link:    world.Link{Loss: .03, Seed: 7},
		Server:  own.Server{Sockopts: prompt(), Body: 30_000},
		Client:  own.Client{Sockopts: prompt(), Count: 8},
		Fix:     func(s *scenario.Scenario) { s.Link.Loss = 0 },
		Snaplen: 400,
	}
}

func uploadRandomLoss(time.Duration) scenario.Scenario {
	s := randomLoss(0)
	s.Name = "random-loss-upload"
	s.About = "3 % of all frames are lost at random, while 30 kB are sent with each of eight " +
		"requests"
	s.Server = own.Server{Sockopts: prompt(), Body: 120}
	s.Client = own.Client{Sockopts: prompt(), Count: 8, Body: 30_000}
	return s
}

func lostRetransmission(time.Duration) scenario.Scenario {
	server, client := small(3)
	return scenario.Scenario{
		Name:  "lost-retransmission",
		About: "the second response is lost, and so are the two copies sent after it",
		Expect: scenario.Expect{
			Rule:  "retransmission-timeout",
			Cause: "lost-retransmission",
			Count: 1,
			From:  "server",
		},
		Link:   world.Link{Drops: []world.Drop{{Kind: "data", First: 2, Times: 3}}},
		Server: server, Client: client, Fix: noDrops,
	}
}

// uploadLoss loses what the client sends: seen from the client, behind the capture.
func uploadLoss(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "loss-in-upload",
		About: "one segment in the middle of a request of 100 kB is lost, and repaired by fast " +
			"retransmission",
		Expect: scenario.Expect{
			Rule:  "packet-loss",
			Cause: "downstream",
			Count: 1,
			Also:  []string{"slow-start"},
		},
		Link:    world.Link{Drops: []world.Drop{{ToServer: true, Kind: "data", First: 40}}},
		Server:  own.Server{Sockopts: prompt(), Body: 120},
		Client:  own.Client{Sockopts: prompt(), Count: 1, Body: 100_000},
		Fix:     noDrops,
		Snaplen: 400,
	}
}

func finLoss(time.Duration) scenario.Scenario {
	server, client := small(3)
	return scenario.Scenario{
		Name:   "lookalike-fin-lost",
		About:  "the client's FIN is lost and sent again: nobody waits for it",
		Link:   world.Link{Drops: []world.Drop{{ToServer: true, Kind: "fin", First: 1}}},
		Server: server, Client: client,
	}
}

func ackLoss(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-acks-lost",
		// 30 kB are more than the initial window
		Expect: scenario.Expect{Also: []string{"slow-start"}},
		About:  "two acknowledgments of a large response are lost: the next ones say the same",
		Link: world.Link{
			Drops: []world.Drop{
				{ToServer: true, Kind: "ack", First: 6},
				{ToServer: true, Kind: "ack", First: 9},
			},
		},
		Server:  own.Server{Sockopts: prompt(), Body: 30_000},
		Client:  own.Client{Sockopts: prompt(), Count: 2},
		Snaplen: 400,
	}
}

func outage(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "outage",
		About: "for 4 s everything in both directions is lost, on four connections: their timers " +
			"back off, and go on when the path is there again",
		Expect: scenario.Expect{
			Rule:  "outage",
			Cause: "to-client",
			Also:  []string{"slow-start", "packet-loss", "retransmission-timeout"},
			From:  "server",
			Alone: true, // behind it, what was lost does not show
		},
		Link: world.Link{
			Outages: []world.Outage{{
				From:     500 * time.Millisecond,
				For:      4 * time.Second,
				ToServer: true,
				ToClient: true,
			}},
		},
		Server:  own.Server{Sockopts: prompt(), Body: 30_000, Think: 20 * time.Millisecond},
		Client:  own.Client{Sockopts: prompt(), Count: 20, Parallel: 4},
		Fix:     func(s *scenario.Scenario) { s.Link.Outages = nil },
		Snaplen: 200,
	}
}
