//go:build linux

package main

import "time"

// lossScenarios lose, delay and hold back segments where no earlier family does: timers, buffers,
// paths.
func lossScenarios() []Scenario {
	var all []Scenario
	for _, family := range [][]Scenario{
		at(lostRetransmission, 10, 50), at(spuriousTimeout, 10, 50), at(uploadLoss, 10, 50), at(overtaken, 10, 50),
		at(blackHole, 10, 50), at(blackHoleRequest, 10), at(blackHoleGivenUp, 10), at(mtuTold, 10), at(noScaling, 50), at(slowWindow, 50), at(requestWindow, 10, 50),
		at(lazyAck, 0, 10, 50), at(corkKept, 0, 10, 50), at(lateEnd, 10), at(oneOctet, 0, 10), at(oneOctetChunks, 10),
		at(oneOctetRequest, 10), at(bloated, 10, 50), at(bloatedForKept, 10, 50), at(bloatedForFresh, 10), at(bloatedLater, 10), at(bloatedLaterBare, 10), at(bloatedUp, 10), at(shortQueue, 10), at(policed, 20), at(finLoss, 10), at(ackLoss, 10), at(delayJump, 10),
		at(bulkBBR, 50), at(sendBuffer, 50), at(outlier, 0, 10, 50), at(slowEndpoint, 10),
	} {
		all = append(all, family...)
	}
	return all
}

func lostRetransmission(time.Duration) Scenario {
	server, client := small(3)
	return Scenario{
		Name:  "lost-retransmission",
		About: "the second response is lost, and so are the two copies sent after it",
		Expect: Expect{
			Rule:  "retransmission-timeout",
			Cause: "lost-retransmission",
			Count: 1,
			From:  "server",
		},
		Link:   Link{Drops: []drop{{Kind: "data", First: 2, Times: 3}}},
		Server: server, Client: client, Fix: noDrops,
	}
}

func noBox(s *Scenario) { s.Link.Box = Box{} }

func spuriousTimeout(time.Duration) Scenario {
	return Scenario{
		Name:  "spurious-timeout",
		About: "the way to the client stands still for 600 ms in the middle of 100 kB: the timer fires, and everything arrives twice",
		Expect: Expect{
			Rule:     "retransmission-timeout",
			Cause:    "spurious",
			From:     "server",
			Also:     []string{"slow-start"},
			Timeless: true,
		},
		Link:    Link{Box: Box{StallAfter: 25, StallFor: 600 * time.Millisecond}},
		Server:  Own{Sockopts: prompt(), Body: 100_000},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Fix:     noBox,
		Snaplen: 400,
	}
}

// uploadLoss loses what the client sends: seen from the client, behind the capture.
func uploadLoss(time.Duration) Scenario {
	return Scenario{
		Name:  "loss-in-upload",
		About: "one segment in the middle of a request of 100 kB is lost, and repaired by fast retransmission",
		Expect: Expect{
			Rule:  "packet-loss",
			Cause: "downstream",
			Count: 1,
			Also:  []string{"slow-start"},
		},
		Link:    Link{Drops: []drop{{ToServer: true, Kind: "data", First: 40}}},
		Server:  Own{Sockopts: prompt(), Body: 120},
		Client:  Caller{Sockopts: prompt(), Count: 1, Body: 100_000},
		Fix:     noDrops,
		Snaplen: 400,
	}
}

func overtaken(rtt time.Duration) Scenario {
	return Scenario{
		Name:  "reordering-beyond-round-trip",
		About: "every 30th segment takes two round trips longer than those around it: it is taken for lost",
		// only the client sees the order
		Expect: Expect{
			Rule:  "packet-loss",
			Cause: "reordering",
			Alone: true,
			Also:  []string{"slow-start"},
		},
		Link:    Link{Reorder: 30, ReorderBy: 2 * rtt},
		Server:  Own{Sockopts: prompt(), Body: 150_000},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Fix:     func(s *Scenario) { s.Link.Reorder = 0 },
		Snaplen: 400,
	}
}

// blackHole lets the server find out by itself, after some timeouts.
func blackHole(time.Duration) Scenario {
	return Scenario{
		Name:  "path-mtu-black-hole",
		About: "packets over 1400 octets to the client vanish without a word; after three timeouts the server's kernel tries smaller ones",
		Expect: Expect{
			Rule:  "path-mtu",
			Count: 1,
			From:  "server",
			Alone: true,
			Also:  []string{"packet-loss"},
		},
		Link:    Link{Box: Box{MTU: [2]int{0, 1400}}},
		Sysctls: map[string]string{"net.ipv4.tcp_mtu_probing": "1"},
		Server:  Own{Sockopts: prompt(), Body: 6000},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Fix:     func(s *Scenario) { s.Link.Box.Tell = true },
	}
}

func blackHoleRequest(time.Duration) Scenario {
	return Scenario{
		Name:  "path-mtu-black-hole-request",
		About: "packets over 1400 octets to the server vanish without a word: a small request passes, a large one never",
		Expect: Expect{
			Rule:     "path-mtu",
			Count:    1,
			Alone:    true,
			Timeless: true,
			Also:     []string{"packet-loss"},
		},
		Link:   Link{Box: Box{MTU: [2]int{1400, 0}}},
		Server: Own{Sockopts: prompt(), Body: 120},
		Client: Caller{Sockopts: prompt(), Count: 1, Body: 6000, Ending: Ending{GiveUp: 5 * time.Second}},
		Fix:    func(s *Scenario) { s.Link.Box.Tell = true },
	}
}

// blackHoleGivenUp loses everything that the server may send at first, so that no small segment is
// acknowledged behind it.
func blackHoleGivenUp(time.Duration) Scenario {
	return Scenario{
		Name:  "path-mtu-black-hole-given-up",
		About: "packets over 1400 octets to the client vanish without a word: all of the first flight, until the client gives up after 5 s",
		Expect: Expect{
			Rule:     "path-mtu",
			Count:    1,
			From:     "server",
			Alone:    true,
			Timeless: true,
			Also:     []string{"packet-loss"},
		},
		Link:   Link{Box: Box{MTU: [2]int{0, 1400}}},
		Server: Own{Sockopts: prompt(), Body: 30_000},
		Client: Caller{Sockopts: prompt(), Count: 1, Ending: Ending{GiveUp: 5 * time.Second}},
		Fix:    func(s *Scenario) { s.Link.Box.Tell = true },
	}
}

func mtuTold(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-path-mtu-told",
		About:  "packets over 1400 octets to the client are lost, and the router says so at once, as it should",
		Expect: Expect{Also: []string{"packet-loss"}}, // the first large segment is lost indeed
		Link:   Link{Box: Box{MTU: [2]int{0, 1400}, Tell: true}},
		Server: Own{Sockopts: prompt(), Body: 6000},
		Client: Caller{Sockopts: prompt(), Count: 3},
	}
}

func noScaling(time.Duration) Scenario {
	return Scenario{
		Name:  "receive-window-no-scaling",
		About: "window scaling is off: no more than 64 kB are ever in flight, though the congestion window is larger",
		Expect: Expect{
			Rule:  "receive-window",
			Cause: "no-window-scaling",
			Count: 1,
			Also:  []string{"slow-start"},
		},
		Sysctls:  map[string]string{"net.ipv4.tcp_window_scaling": "0"},
		InitCwnd: 30,
		Server:   Own{Sockopts: prompt(), Body: 600_000},
		Client:   Caller{Sockopts: prompt(), Count: 1},
		Fix:      func(s *Scenario) { s.Sysctls = nil },
		Snaplen:  400,
	}
}

func slowWindow(time.Duration) Scenario {
	return Scenario{
		Name:  "receive-window-autotuning",
		About: "the client's window begins at 64 kB and grows with the transfer, more slowly than the server, with an initial window of 100, could send",
		Expect: Expect{
			Rule:  "receive-window",
			Cause: "autotuning",
			Count: 1,
			Also:  []string{"slow-start"},
		},
		InitCwnd: 100,
		Server:   Own{Sockopts: prompt(), Body: 600_000},
		Client:   Caller{Sockopts: prompt(), Count: 1},
		Fix:      func(s *Scenario) { s.Sysctls = map[string]string{"net.ipv4.tcp_rmem": "4096 4194304 6291456"} },
		Snaplen:  400,
	}
}

func requestWindow(time.Duration) Scenario {
	return Scenario{
		Name:  "zero-window-slow-server",
		About: "the server reads 64 kB of the request and pauses 300 ms, with a receive buffer of 32 kB: its window closes",
		Expect: Expect{
			Rule:  "zero-window",
			Cause: "request",
			Also:  []string{"slow-start", "receive-window"},
		},
		Server: Own{
			Sockopts: Sockopts{NoDelay: true, RcvBuf: 32 << 10},
			Body:     120,
			Reads:    Reads{SlowRead: 300 * time.Millisecond},
		},
		Client:  Caller{Sockopts: prompt(), Count: 1, Body: 260_000},
		Fix:     func(s *Scenario) { changeServer(s, func(o *Own) { o.SlowRead = 0 }) },
		Snaplen: 400,
	}
}

func lazyAck(time.Duration) Scenario {
	return Scenario{
		Name:     "delayed-ack-initcwnd-1",
		About:    "the server may begin with one segment, and the client delays its acknowledgment of a single one",
		Expect:   Expect{Rule: "delayed-ack", Also: []string{"slow-start"}},
		InitCwnd: 1,
		Server:   Own{Sockopts: prompt(), Body: 8000},
		Client:   Caller{Sockopts: Sockopts{NoDelay: true, LazyAck: true}, Count: 1, Parallel: 3},
		Fix:      func(s *Scenario) { changeClient(s, func(c *Caller) { c.LazyAck, c.QuickAck = false, true }) },
	}
}

func corkKept(time.Duration) Scenario {
	return Scenario{
		Name:   "cork-kept",
		About:  "the server sets TCP_CORK and never takes it away: the end of each response waits for a timer",
		Expect: Expect{Rule: "cork"},
		Server: Own{Sockopts: prompt(), Body: 5000, Writes: Writes{Split: true}, KeepCork: true},
		Client: Caller{Sockopts: prompt(), Count: 6},
		Fix:    func(s *Scenario) { changeServer(s, func(o *Own) { o.KeepCork, o.Cork = false, true }) },
	}
}

func lateEnd(time.Duration) Scenario {
	return Scenario{
		Name:  "lookalike-late-end",
		About: "the server writes three full segments and, 210 ms later, the end of each response: its own pause, not a cork",
		Server: Own{
			Sockopts: prompt(),
			Body:     4344 + 600 - 82,
			Writes:   Writes{Piece: 4344 - 82, PieceGap: 210 * time.Millisecond},
		},
		Client: Caller{Sockopts: prompt(), Count: 4},
	}
}

func oneOctet(time.Duration) Scenario {
	return Scenario{
		Name:   "small-segments-response",
		About:  "the server writes the body octet by octet with TCP_NODELAY",
		Expect: Expect{Rule: "small-segments", Cause: "response", Timeless: true},
		Server: Own{Sockopts: prompt(), Body: 120, Writes: Writes{Piece: 1}},
		Client: Caller{Sockopts: prompt(), Count: 3},
		Fix:    func(s *Scenario) { changeServer(s, func(o *Own) { o.Piece = 0 }) },
	}
}

func oneOctetChunks(time.Duration) Scenario {
	s := oneOctet(0)
	s.Name, s.About = "small-segments-chunks", "the server sends chunks of one octet, each in a write of its own, with TCP_NODELAY"
	s.Server = Own{Sockopts: prompt(), Body: 120, Writes: Writes{Piece: 1}, Chunked: true}
	return s
}

func oneOctetRequest(time.Duration) Scenario {
	s := oneOctet(0)
	s.Name, s.Expect.Cause = "small-segments-request", "request"
	s.About = "the client writes the body octet by octet with TCP_NODELAY"
	s.Server = Own{Sockopts: prompt(), Body: 120}
	s.Client = Caller{Sockopts: prompt(), Count: 3, Body: 120, Writes: Writes{Split: true, Piece: 1}}
	s.Fix = func(s *Scenario) { changeClient(s, func(c *Caller) { c.Piece, c.Split = 0, false }) }
	return s
}

func bloated(time.Duration) Scenario {
	return Scenario{
		Name:  "bufferbloat",
		About: "the path carries 4 Mbit/s with a queue of 200 kB before it: a large response fills it",
		Expect: Expect{
			Rule:     "bandwidth",
			Cause:    "bufferbloat",
			From:     "server",
			Also:     []string{"slow-start"},
			Timeless: true,
		},
		Link:    Link{Rate: [2]int64{0, 4_000_000}, Queue: [2]int{0, 200_000}},
		Server:  Own{Sockopts: prompt(), Body: 300_000},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

// bloatedFor is what a deep queue does to others: small requests wait in it behind a large response
// of another connection.
func bloatedFor(name, about string, client Caller) Scenario {
	client.Sockopts, client.Count, client.Interval = prompt(), 8, 120*time.Millisecond
	return Scenario{
		Name:  name,
		About: "the path carries 4 Mbit/s with a queue of 200 kB before it, which a large response fills: " + about,
		// at the server, what its answers wait for does not show
		Expect: Expect{Rule: "bandwidth", Cause: "bufferbloat", Alone: true,
			Also: []string{"slow-start", "connect-cost", "missed-reuse", "slow-start-after-idle"}},
		Link:   Link{Rate: [2]int64{0, 4_000_000}, Queue: [2]int{0, 200_000}},
		Server: Own{Sockopts: prompt(), Body: 600, Response: Response{Large: 600_000}},
		Client: Beside{
			Caller: client,
			Other:  Caller{Sockopts: prompt(), Count: 1, Request: Request{Path: "/large"}},
			Ahead:  300 * time.Millisecond,
		},
		Fix:     func(s *Scenario) { s.Link.Fair = true },
		Snaplen: 200,
	}
}

func bloatedForKept(time.Duration) Scenario {
	return bloatedFor(
		"bufferbloat-for-others",
		"small requests of a kept connection wait in it",
		Caller{},
	)
}

func bloatedForFresh(time.Duration) Scenario {
	s := bloatedFor(
		"bufferbloat-for-newcomers",
		"small requests on new connections wait in it, handshakes too",
		Caller{Pool: Pool{Fresh: true}},
	)
	// on a connection that need not have been opened, the handshake is that one's
	s.Expect.Shares = []string{"missed-reuse"}
	return s
}

func bloatedLater(time.Duration) Scenario {
	s := bloatedFor(
		"bufferbloat-comes-later",
		"small requests of a kept connection, quick before, wait in it",
		Caller{},
	)
	b := s.Client.(Beside)
	b.SameTarget, b.Count, b.Interval, b.Ahead, b.Other.Preconnect = true, 30, 50*time.Millisecond, 0, 700*time.Millisecond
	s.Client = b
	return s
}

// bloatedUp is the same in the other direction: requests wait behind a large request, before the
// server has them.
func bloatedUp(time.Duration) Scenario {
	s := bloatedLater(0)
	s.Name = "bufferbloat-of-upload"
	s.About = "the path carries 4 Mbit/s to the server with a queue of 200 kB before it, which a large request fills: small requests of a " +
		"kept connection, quick before, wait in it"
	s.Link = Link{Rate: [2]int64{4_000_000, 0}, Queue: [2]int{200_000, 0}}
	b := s.Client.(Beside)
	b.Other.Body = 600_000
	s.Client = b
	changeServer(&s, func(o *Own) { o.Large = 600 })
	return s
}

func bloatedLaterBare(time.Duration) Scenario {
	s := bloatedLater(0)
	s.Name += "-bare"
	s.Sysctls = map[string]string{"net.ipv4.tcp_timestamps": "0"}
	return s
}

// shortQueue is what a policer does: loss at a rate.
func shortQueue(time.Duration) Scenario {
	return Scenario{
		Name:  "loss-in-short-queue",
		About: "the path carries 4 Mbit/s with a queue of 8 kB before it: slow start overflows it",
		Expect: Expect{
			Rule:     "packet-loss",
			Also:     []string{"slow-start", "bandwidth", "retransmission-timeout"},
			Timeless: true,
		},
		Link:    Link{Rate: [2]int64{0, 4_000_000}, Queue: [2]int{0, 8_000}},
		Server:  Own{Sockopts: prompt(), Body: 200_000},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

// policed is a long response over a path whose queue is too short for its rate: losses, and the
// path is busy most of the time nevertheless.
func policed(time.Duration) Scenario {
	return Scenario{
		Name:  "loss-at-policer",
		About: "the path carries 8 Mbit/s and queues no more than 10 kB: a response of 1.5 MB loses segments again and again",
		Expect: Expect{
			Rule: "packet-loss",
			Also: []string{"slow-start", "bandwidth", "retransmission-timeout"},
		},
		Link:    Link{Rate: [2]int64{0, 8_000_000}, Queue: [2]int{0, 10_000}},
		Server:  Own{Sockopts: prompt(), Body: 1_500_000},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Fix:     func(s *Scenario) { s.Link.Queue = [2]int{} },
		Snaplen: 128,
	}
}

func finLoss(time.Duration) Scenario {
	server, client := small(3)
	return Scenario{
		Name:   "lookalike-fin-lost",
		About:  "the client's FIN is lost and sent again: nobody waits for it",
		Link:   Link{Drops: []drop{{ToServer: true, Kind: "fin", First: 1}}},
		Server: server, Client: client,
	}
}

func ackLoss(time.Duration) Scenario {
	return Scenario{
		Name:   "lookalike-acks-lost",
		Expect: Expect{Also: []string{"slow-start"}}, // 30 kB are more than the initial window
		About:  "two acknowledgments of a large response are lost: the next ones say the same",
		Link: Link{
			Drops: []drop{
				{ToServer: true, Kind: "ack", First: 6},
				{ToServer: true, Kind: "ack", First: 9},
			},
		},
		Server:  Own{Sockopts: prompt(), Body: 30_000},
		Client:  Caller{Sockopts: prompt(), Count: 2},
		Snaplen: 400,
	}
}

func delayJump(time.Duration) Scenario {
	server, client := small(6)
	return Scenario{
		Name:   "lookalike-delay-jumps",
		About:  "the way to the client stands still for 60 ms now and then, less than any timer",
		Link:   Link{Box: Box{StallAfter: 2, StallFor: 60 * time.Millisecond, StallStride: 2}},
		Server: server, Client: client,
	}
}

func bulkBBR(time.Duration) Scenario {
	return Scenario{
		Name:    "slow-start-bbr",
		About:   "a response of 300 kB on a new connection with BBR, which paces",
		Expect:  Expect{Rule: "slow-start", Count: 1, Timeless: true},
		Sysctls: map[string]string{congestionControl: "bbr"},
		Server:  Own{Sockopts: prompt(), Body: 300_000},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

// sendBuffer is limited by neither window: TCP_INFO says sndbuf_limited.
func sendBuffer(time.Duration) Scenario {
	return Scenario{
		Name:    "lookalike-send-buffer-small",
		About:   "the server's send buffer is 8 kB, less than the initial window: it, and no window, limits 40 kB that are written in small pieces. No rule speaks of it, and none may accuse a window",
		Server:  Own{Sockopts: Sockopts{NoDelay: true, SndBuf: 4 << 10}, Body: 40_000, Writes: Writes{Piece: 1448}},
		Client:  Caller{Sockopts: prompt(), Count: 1},
		Snaplen: 400,
	}
}

func outlier(time.Duration) Scenario {
	return Scenario{
		Name:   "server-think-outlier",
		About:  "the server thinks 5 ms, and 350 ms over the first of every ten requests",
		Expect: Expect{Rule: "server-think"},
		Server: Own{
			Sockopts: prompt(),
			Body:     300,
			Think:    5 * time.Millisecond,
			Outlier:  Outlier{LongThink: 350 * time.Millisecond, LongEvery: 10},
		},
		Client: Caller{Sockopts: prompt(), Count: 20, Request: Request{SameTarget: true}},
		Fix:    func(s *Scenario) { changeServer(s, func(o *Own) { o.LongThink = 0 }) },
	}
}

func slowEndpoint(time.Duration) Scenario {
	return Scenario{
		Name:   "server-think-endpoint",
		About:  "the server thinks 1.1 s over every request",
		Expect: Expect{Rule: "server-think", Timeless: true},
		Server: Own{Sockopts: prompt(), Body: 300, Think: 1100 * time.Millisecond},
		Client: Caller{Sockopts: prompt(), Count: 8, Request: Request{SameTarget: true}},
	}
}
