//go:build linux

package catalog

import (
	"slices"
	"time"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

func chunkedStream(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:  "lookalike-chunked-stream",
		About: "the server streams six chunks 20 ms apart with TCP_NODELAY",
		Server: own.Server{
			Sockopts: prompt(),
			Body:     1200,
			Chunked:  true,
			Writes:   own.Writes{Piece: 200, PieceGap: 20 * time.Millisecond},
		},
		Client: own.Client{Sockopts: prompt(), Count: 4},
	}
}

// pacingScenarios wait in the same places as Nagle's algorithm does, for other reasons: they must
// stay silent, but for the slow writer, whose hold costs less than it lasts.
func pacingScenarios() []scenario.Scenario {
	return slices.Concat(at(thinkOf(40), 0, 10, 50), at(thinkOf(200), 10),
		at(pacedServer(40), 0, 10), at(pacedServer(50), 50), at(slowWriter, 0, 10, 50),
		at(corked, 10), at(wholeWrites, 10), at(pacedClient, 10), at(streamed, 10),
		at(chunkedStream, 10), at(fullSmallSegments, 10))
}

func thinkOf(ms int) func(time.Duration) scenario.Scenario {
	return func(time.Duration) scenario.Scenario {
		return scenario.Scenario{
			Name:  "lookalike-think-" + time.Duration(ms*1e6).String(),
			About: "the server thinks as long as a delayed ACK may last, and nothing is held",
			Server: own.Server{
				Sockopts: prompt(),
				Body:     120,
				Think:    time.Duration(ms) * time.Millisecond,
			},
			Client: own.Client{Sockopts: prompt(), Count: 8, Body: 64},
		}
	}
}

func pacedServer(ms int) func(time.Duration) scenario.Scenario {
	return func(time.Duration) scenario.Scenario {
		return scenario.Scenario{
			Name: "lookalike-paced-response-" + time.Duration(ms*1e6).String(),
			About: "the server writes its header, waits as long as a hold would last, and writes " +
				"the body; TCP_NODELAY is set",
			Server: own.Server{
				Sockopts: prompt(),
				Body:     120,
				Writes:   own.Writes{Split: true, Gap: time.Duration(ms) * time.Millisecond},
			},
			Client: own.Client{Sockopts: prompt(), Count: 8},
		}
	}
}

func pacedClient(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name:   "lookalike-paced-request-40ms",
		About:  "the client writes its header and 40 ms later the body; TCP_NODELAY is set",
		Server: own.Server{Sockopts: prompt(), Body: 120},
		Client: own.Client{
			Sockopts: prompt(),
			Count:    8,
			Body:     64,
			Writes:   own.Writes{Split: true, Gap: 40 * time.Millisecond},
		},
	}
}

func slowWriter(rtt time.Duration) scenario.Scenario {
	s := scenario.Scenario{
		Name: "nagle-slow-writer",
		About: "the server writes the second piece 43 ms after the first with Nagle on: the " +
			"hold costs less than it seems",
		Expect: scenario.Expect{Rule: "nagle-delayed-ack", Cause: "response"},
		Server: own.Server{Body: 120, Writes: own.Writes{Split: true, Gap: 43 * time.Millisecond}},
		Client: own.Client{Sockopts: prompt(), Count: 8},
		Fix:    serverNoDelay,
	}
	if rtt == 0 {
		// A delayed ACK, at 40 to 49 ms, is earlier than the write: nothing is ever held.
		s.Name, s.Expect, s.Fix = "lookalike-slow-writer", scenario.Expect{}, nil
		s.About = "the server writes the second piece 60 ms after the first with Nagle on, later " +
			"than even a delayed ACK comes"
		s.Server = own.Server{
			Body:   120,
			Writes: own.Writes{Split: true, Gap: 60 * time.Millisecond},
		}
	}
	return s
}

func corked(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-cork",
		About: "the server writes header and body separately with Nagle on, but under TCP_CORK, " +
			"released at the end",
		Server: own.Server{Body: 120, Writes: own.Writes{Split: true}, Cork: true},
		Client: own.Client{Sockopts: prompt(), Count: 8},
	}
}

func wholeWrites(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-nagle-on-whole-writes",
		About: "Nagle is on at both ends, and every message is one write, some longer than a " +
			"segment",
		Server: own.Server{Body: 4000},
		Client: own.Client{Count: 8, Body: 64},
	}
}

func streamed(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-streamed-response",
		About: "the server writes six pieces of 300 octets 15 ms apart with TCP_NODELAY, as a " +
			"program that streams",
		Server: own.Server{
			Sockopts: prompt(),
			Body:     1800,
			Writes:   own.Writes{Split: true, Piece: 300, PieceGap: 15 * time.Millisecond},
		},
		Client: own.Client{Sockopts: prompt(), Count: 4},
	}
}

func fullSmallSegments(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "lookalike-full-segments-of-small-mss",
		About: "the client announces a small MSS, and the server, with Nagle on, writes two full " +
			"segments every 12 ms: Nagle never holds a full one",
		Expect:      scenario.Expect{Pending: true},
		ClientRoute: world.Route{MSS: 1394}, // 1382 octets beside the timestamps
		Server: own.Server{
			Body:   6 * 2764,
			Writes: own.Writes{Split: true, Piece: 2764, PieceGap: 12 * time.Millisecond},
		},
		Client: own.Client{Sockopts: prompt(), Count: 4},
	}
}
