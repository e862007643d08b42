//go:build linux

package program

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/phrase"
)

// octets is a codec of messages that are nothing but octets: the lab needs no schema.
type octets struct{}

func (octets) Name() string { return "proto" }

func (octets) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

func (octets) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

// GRPCServer is grpc-go's server of lab.Orders: Get answers at once, Report after Think (if
// SlowEach is given each SlowEach-th time, else at once), Charge with Status (each FailEach-th
// time), Missing with NOT_FOUND; Watch sends Events messages, one every Every; Chat echoes.
type GRPCServer struct {
	Body     int // octets of an answer
	Think    time.Duration
	SlowEach int
	Status   codes.Code
	FailEach int
	Events   int
	Every    time.Duration
	MinPing  time.Duration // what the server allows between PINGs; 0: grpc-go's five minutes
	Secure   bool
}

// About names the version and what it answers.
func (g GRPCServer) About() string {
	var l phrase.List
	l.If(true, "grpc-go %s, answers of %d octets", grpc.Version, g.Body)
	l.If(g.Think > 0 && g.SlowEach == 0, "Report after %v", g.Think)
	l.If(g.SlowEach > 0, "each %d. Report after %v", g.SlowEach, g.Think)
	l.If(g.FailEach > 0, "each %d. Charge fails with %v", g.FailEach, g.Status)
	l.If(g.Events > 0, "Watch: %d messages, one every %v", g.Events, g.Every)
	l.If(g.MinPing > 0, "PINGs every %v allowed", g.MinPing)
	l.If(g.Secure, "TLS")
	return l.String()
}

// Start serves on a listener inside the namespace.
func (g GRPCServer) Start(_ context.Context, e *peer.Env) (func(), error) {
	l, err := peer.Listen(e.Server, e.ServerAddress(), peer.Sockopts{NoDelay: true})
	if err != nil {
		return nil, err
	}
	options := []grpc.ServerOption{grpc.ForceServerCodec(octets{})}
	if g.MinPing > 0 {
		options = append(options, grpc.KeepaliveEnforcementPolicy(
			keepalive.EnforcementPolicy{MinTime: g.MinPing, PermitWithoutStream: true}))
	}
	if g.Secure {
		cert, err := peer.Certificate(0)
		if err != nil {
			return nil, err
		}
		options = append(options, grpc.Creds(credentials.NewServerTLSFromCert(&cert)))
	}
	server := grpc.NewServer(options...)
	server.RegisterService(g.service(), struct{}{})
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(l) }()
	return func() { server.Stop(); <-done }, nil
}

// service are the methods.
func (g GRPCServer) service() *grpc.ServiceDesc {
	var charges, reports atomic.Int64
	unary := func(name string, answer func(context.Context) error) grpc.MethodDesc {
		return grpc.MethodDesc{MethodName: name, Handler: func(_ any, ctx context.Context,
			read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var asked []byte
			if err := read(&asked); err != nil {
				return nil, err
			}
			body := peer.Fill(g.Body)
			return &body, answer(ctx)
		}}
	}
	return &grpc.ServiceDesc{
		ServiceName: "lab.Orders",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			unary("Get", func(context.Context) error { return nil }),
			unary("Report", func(ctx context.Context) error {
				if n := reports.Add(1); g.SlowEach > 0 && n%int64(g.SlowEach) != 0 {
					return nil
				}
				return sleep(ctx, g.Think)
			}),
			unary("Charge", func(context.Context) error {
				if n := charges.Add(1); g.FailEach > 0 && n%int64(g.FailEach) == 0 {
					return status.Error(g.Status, "the till is shut")
				}
				return nil
			}),
			unary("Missing", func(context.Context) error {
				return status.Error(codes.NotFound, "no such order")
			}),
		},
		Streams: []grpc.StreamDesc{
			{StreamName: "Watch", Handler: g.watch, ServerStreams: true},
			{StreamName: "Chat", Handler: echo, ServerStreams: true, ClientStreams: true},
		},
	}
}

// sleep waits, or returns what ended the context first.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// watch sends messages as things happen.
func (g GRPCServer) watch(_ any, s grpc.ServerStream) error {
	var asked []byte
	if err := s.RecvMsg(&asked); err != nil {
		return err
	}
	body := peer.Fill(g.Body)
	for range g.Events {
		if err := s.SendMsg(&body); err != nil {
			return err
		}
		if err := sleep(s.Context(), g.Every); err != nil {
			return err
		}
	}
	return nil
}

// echo sends back what comes.
func echo(_ any, s grpc.ServerStream) error {
	for {
		var message []byte
		if err := s.RecvMsg(&message); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := s.SendMsg(&message); err != nil {
			return err
		}
	}
}

// GRPCCall is what a client of grpc-go does.
type GRPCCall struct {
	Method   string // of lab.Orders, or the whole path
	Count    int    // one after the other
	Parallel int    // as many at a time; 0 is one
	Deadline time.Duration
	Cancel   time.Duration // the program loses interest after that, without a deadline
	Body     int           // octets of a request
	Talk     int           // messages of a Chat, each after the answer to the one before
	Pause    time.Duration // between calls, or messages of a Chat
	Then     time.Duration // waited after all
}

// String is the call in words.
func (c GRPCCall) String() string {
	var l phrase.List
	l.If(true, "%d × %s", max(c.Count, 1)*max(c.Parallel, 1), c.Method)
	l.If(c.Parallel > 1, "%d at a time", c.Parallel)
	l.If(c.Deadline > 0, "deadline %v", c.Deadline)
	l.If(c.Cancel > 0, "cancelled after %v", c.Cancel)
	l.If(c.Body > 0, "%d octets", c.Body)
	l.If(c.Talk > 0, "%d messages to and fro", c.Talk)
	l.If(c.Pause > 0, "%v between them", c.Pause)
	l.If(c.Then > 0, "then idle for %v", c.Then)
	return l.String()
}
