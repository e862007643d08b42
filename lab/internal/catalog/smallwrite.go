//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// smallWriteScenarios write little at a time, or have little acknowledged late.
func smallWriteScenarios() []scenario.Scenario {
	return slices.Concat(at(lazyAck, 0, 10, 50), at(corkKept, 0, 10, 50), at(lateEnd, 10),
		at(oneOctet, 0, 10), at(oneOctetChunks, 10), at(oneOctetRequest, 10))
}

func lazyAck(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "delayed-ack-initcwnd-1",
		About: "the server may begin with one segment, and the client delays its " +
			"acknowledgment of a single one",
		Expect:      scenario.Expect{Rule: "delayed-ack", Also: []string{"slow-start"}},
		ServerRoute: world.Route{InitCwnd: 1},
		Server:      own.Server{Sockopts: prompt(), Body: 8000},
		Client: own.Client{
			Sockopts: peer.Sockopts{NoDelay: true, LazyAck: true},
			Count:    1,
			Parallel: 3,
		},
		Fix: onClient(func(c *own.Client) { c.LazyAck, c.QuickAck = false, true }),
	}
}

func corkKept(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "cork-kept",
		About: "the server sets TCP_CORK and never takes it away: the end of each response " +
			"waits for a timer",
		Expect: scenario.Expect{Rule: "cork"},
		Server: own.Server{
			Sockopts: prompt(),
			Body:     5000,
			Writes:   own.Writes{Split: true},
			KeepCork: true,
		},
		Client: own.Client{Sockopts: prompt(), Count: 6},
		Fix:    onServer(func(o *own.Server) { o.KeepCork, o.Cork = false, true }),
	}
}

func lateEnd(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-late-end",
		About: "the server writes three full segments and, 210 ms later, the end of each " +
			"response: its own pause, not a cork",
		Server: own.Server{
			Sockopts: prompt(),
			Body:     4344 + 600 - 82,
			Writes:   own.Writes{Piece: 4344 - 82, PieceGap: 210 * time.Millisecond},
		},
		Client: own.Client{Sockopts: prompt(), Count: 4},
	}
}

func oneOctet(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "small-segments-response",
		About:  "the server writes the body octet by octet with TCP_NODELAY",
		Expect: scenario.Expect{Rule: "small-segments", Cause: "response", Timeless: true},
		Server: own.Server{Sockopts: prompt(), Body: 120, Writes: own.Writes{Piece: 1}},
		Client: own.Client{Sockopts: prompt(), Count: 3},
		Fix:    onServer(func(o *own.Server) { o.Piece = 0 }),
	}
}

func oneOctetChunks(time.Duration) scenario.Scenario {
	s := oneOctet(0)
	s.Name = "small-segments-chunks"
	s.About = "the server sends chunks of one octet, each in a write of its own, with TCP_NODELAY"
	s.Server = own.Server{
		Sockopts: prompt(),
		Body:     120,
		Writes:   own.Writes{Piece: 1},
		Chunked:  true,
	}
	return s
}

func oneOctetRequest(time.Duration) scenario.Scenario {
	s := oneOctet(0)
	s.Name, s.Expect.Cause = "small-segments-request", "request"
	s.About = "the client writes the body octet by octet with TCP_NODELAY"
	s.Server = own.Server{Sockopts: prompt(), Body: 120}
	s.Client = own.Client{
		Sockopts: prompt(),
		Count:    3,
		Body:     120,
		Writes:   own.Writes{Split: true, Piece: 1},
	}
	s.Fix = onClient(func(c *own.Client) { c.Piece, c.Split = 0, false })
	return s
}
