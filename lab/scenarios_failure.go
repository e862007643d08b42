//go:build linux

package main

import "time"

// failureScenarios lose requests, responses or segments; most serve rules of later steps.
func failureScenarios() []Scenario {
	var all []Scenario
	for _, family := range [][]Scenario{
		at(keepaliveRace, 10, 50), at(staleUse, 10, 50), at(truncated, 10, 50), at(truncatedChunked, 10, 50), at(truncatedTLS, 10, 50), at(synLoss, 0, 10, 50), at(synAckLoss, 10, 50), at(refused, 0, 10), at(restarted, 10, 50),
		at(backlog, 10), at(tailLoss, 10, 50), at(singleLoss, 0, 10, 50), at(requestLoss, 10, 50), at(middleLoss, 10, 50), at(reordered, 50),
		at(duplicated, 10), at(randomLoss, 10, 50), at(uploadRandomLoss, 10, 50),
	} {
		all = append(all, family...)
	}
	return all
}

func keepaliveRace(rtt time.Duration) Scenario {
	return Scenario{
		Name:   "keepalive-race",
		About:  "the server closes after 1 s idle just as the next request is under way: the request is lost and sent again",
		Expect: Expect{Rule: "keepalive-race", Cause: "race", Count: 3},
		Server: Own{Sockopts: prompt(), Body: 800, Keeping: Keeping{Idle: time.Second}},
		Client: Caller{
			Sockopts: prompt(),
			Count:    4,
			Interval: time.Second - rtt/2,
			Pool:     Pool{Retry: true, Blind: true},
		},
		Fix: func(s *Scenario) { changeServer(s, func(o *Own) { o.Idle = 0 }) },
	}
}

func staleUse(time.Duration) Scenario {
	s := keepaliveRace(0)
	s.Name, s.Expect.Cause = "keepalive-stale-use", "stale-use"
	s.About = "the server closed after 1 s idle, and 400 ms later the client sends on that connection without looking"
	s.Client = Caller{
		Sockopts: prompt(),
		Count:    4,
		Interval: 1400 * time.Millisecond,
		Pool:     Pool{Retry: true, Blind: true},
	}
	return s
}

func truncated(time.Duration) Scenario {
	return Scenario{
		Name:   "truncated-content-length",
		About:  "the server closes in order after 5000 of the 12000 octets it announced",
		Expect: Expect{Rule: "truncated-response", Cause: "content-length", Count: 2},
		Server: Own{Sockopts: prompt(), Body: 12_000, Cuts: Cuts{CutAfter: 5000}},
		Client: Caller{Sockopts: prompt(), Count: 2},
		Fix:    func(s *Scenario) { changeServer(s, func(o *Own) { o.CutAfter = 0 }) },
	}
}

func truncatedChunked(time.Duration) Scenario {
	s := truncated(0)
	s.Name, s.Expect.Cause = "truncated-chunked", "chunked"
	s.About = "the server closes in order in the middle of a chunk"
	s.Server = Own{Sockopts: prompt(), Body: 10_000, Cuts: Cuts{CutAfter: 5000}, Chunked: true}
	return s
}

func truncatedTLS(time.Duration) Scenario {
	s := truncated(0)
	s.Name, s.Expect.Cause = "truncated-tls-close", "tls-close"
	s.About = "the server closes the connection in the middle of a TLS record, without an alert"
	s.Server = Own{Sockopts: prompt(), TLS: true, Body: 12_000, Cuts: Cuts{CutStream: 6000}}
	s.Client = Caller{Sockopts: prompt(), TLS: true, Count: 2}
	s.Fix = func(s *Scenario) { changeServer(s, func(o *Own) { o.CutStream = 0 }) }
	return s
}

func noDrops(s *Scenario) { s.Link.Drops = nil }

// small is an exchange of one segment each way, n times.
func small(n int) (Own, Caller) {
	return Own{Sockopts: prompt(), Body: 800}, Caller{Sockopts: prompt(), Count: n}
}

func synLoss(time.Duration) Scenario {
	server, client := small(2)
	return Scenario{
		Name:   "syn-loss",
		About:  "the first SYN is lost, and the client waits a second to send it again",
		Expect: Expect{Rule: "syn-retransmission", Cause: "unknown", Count: 1, Alone: true},
		Link:   Link{Drops: []drop{{ToServer: true, Kind: "syn", First: 1}}},
		Server: server, Client: client, Fix: noDrops,
	}
}

func synAckLoss(time.Duration) Scenario {
	s := synLoss(0)
	s.Name, s.About = "syn-ack-loss", "the first SYN-ACK is lost, and both sides wait a second to repeat themselves"
	s.Expect.Alone = false
	s.Link.Drops = []drop{{ToServer: false, Kind: "synack", First: 1}}
	return s
}

func refused(time.Duration) Scenario {
	return Scenario{
		Name:   "connection-refused",
		About:  "nothing listens on the port: each of three attempts is answered by a reset",
		Expect: Expect{Rule: "connection-refused", Cause: "refused", Count: 3},
		Server: Nobody{},
		Client: Caller{Sockopts: prompt(), Count: 3, Interval: 50 * time.Millisecond},
	}
}

func restarted(time.Duration) Scenario {
	return Scenario{
		Name:  "connection-refused-restart",
		About: "the server is started again, and refuses connections for 400 ms",
		Expect: Expect{
			Rule:     "connection-refused",
			Cause:    "refused",
			Also:     []string{"missed-reuse"},
			Timeless: true,
		},
		Server: Restarting{
			Own:   Own{Sockopts: prompt(), Body: 800},
			After: 350 * time.Millisecond,
			Down:  400 * time.Millisecond,
		},
		Client: Caller{Sockopts: prompt(), Count: 10, Interval: 80 * time.Millisecond},
		Fix:    func(s *Scenario) { s.Server = Own{Sockopts: prompt(), Body: 800} },
	}
}

func backlog(time.Duration) Scenario {
	return Scenario{
		Name:  "backlog-overflow",
		About: "the server accepts nobody for 1.5 s with a backlog of one: further SYNs go unanswered",
		Expect: Expect{
			Rule:  "syn-retransmission",
			Cause: "backlog-overflow",
			Count: 3,
			From:  "server",
		},
		Server: Own{
			Sockopts:  prompt(),
			Body:      800,
			Accepting: Accepting{Backlog: 1, AcceptAfter: 1500 * time.Millisecond},
		},
		Client: Caller{Sockopts: prompt(), Count: 1, Parallel: 5},
	}
}

func tailLoss(time.Duration) Scenario {
	return Scenario{
		Name:   "tail-loss",
		About:  "the last of the four segments of the second response is lost: nothing after it tells the sender",
		Expect: Expect{Rule: "retransmission-timeout", Cause: "tail", Count: 1},
		Link:   Link{Drops: []drop{{Kind: "data", First: 8}}},
		Server: Own{
			Sockopts: prompt(),
			Body:     5000,
		}, Client: Caller{Sockopts: prompt(), Count: 3}, Fix: noDrops,
	}
}

func singleLoss(time.Duration) Scenario {
	server, client := small(3)
	return Scenario{
		Name:   "single-segment-loss",
		About:  "the second response, a single segment, is lost: only the timer repairs it",
		Expect: Expect{Rule: "retransmission-timeout", Cause: "single", Count: 1},
		Link:   Link{Drops: []drop{{Kind: "data", First: 2}}},
		Server: server, Client: client, Fix: noDrops,
	}
}

func requestLoss(time.Duration) Scenario {
	s := singleLoss(0)
	s.Name, s.About = "request-loss", "the second request is lost: only the client's timer repairs it"
	s.Link.Drops = []drop{{ToServer: true, Kind: "data", First: 2}}
	s.Expect.Alone = true // whoever sees only the second copy cannot know of the first
	return s
}

func middleLoss(time.Duration) Scenario {
	return Scenario{
		Name:    "loss-repaired-quickly",
		About:   "one segment in the middle of 100 kB is lost, and repaired by fast retransmission",
		Expect:  Expect{Rule: "packet-loss", Also: []string{"slow-start"}},
		Link:    Link{Drops: []drop{{Kind: "data", First: 40}}},
		Server:  Own{Sockopts: prompt(), Body: 100_000},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Fix:     noDrops,
		Snaplen: 400,
	}
}

func reordered(time.Duration) Scenario {
	return Scenario{
		Name:    "lookalike-reordered",
		About:   "every fourth segment comes 3 ms late: out of order, but nothing was lost",
		Link:    Link{Reorder: 4, ReorderBy: 3 * time.Millisecond},
		Server:  Own{Sockopts: prompt(), Body: 13_000},
		Client:  Caller{Sockopts: prompt(), Count: 2},
		Snaplen: 400,
	}
}

func duplicated(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-duplicated-by-network",
		About:  "the network delivers every second response twice",
		Link:   Link{Duplicate: 2},
		Server: Own{Sockopts: prompt(), Body: 800},
		Client: Caller{Sockopts: prompt(), Count: 6},
	}
}

func uploadRandomLoss(time.Duration) Scenario {
	s := randomLoss(0)
	s.Name = "random-loss-upload"
	s.About = "3 % of all frames are lost at random, while 30 kB are sent with each of eight requests"
	s.Server = Own{Sockopts: prompt(), Body: 120}
	s.Client = Caller{Sockopts: prompt(), Count: 8, Body: 30_000}
	return s
}

func randomLoss(time.Duration) Scenario {
	return Scenario{
		Name:  "random-loss",
		About: "3 % of all frames are lost at random",
		Expect: Expect{
			Rule:   "packet-loss",
			Also:   []string{"slow-start", "retransmission-timeout", "delayed-ack"},
			Shares: []string{"retransmission-timeout"},
		},
		Link:    Link{Loss: .03, Seed: 7},
		Server:  Own{Sockopts: prompt(), Body: 30_000},
		Client:  Caller{Sockopts: prompt(), Count: 8},
		Fix:     func(s *Scenario) { s.Link.Loss = 0 },
		Snaplen: 400,
	}
}
