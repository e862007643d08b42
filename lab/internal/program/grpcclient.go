//go:build linux

package program

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/phrase"
)

// GRPCClient is grpc-go's client, on one channel.
type GRPCClient struct {
	Calls  []GRPCCall    // one kind after the other
	Ping   time.Duration // keepalive.ClientParameters.Time, at least 10 s; 0: none
	Secure bool
}

// About names the version and the calls.
func (g GRPCClient) About() string {
	var l phrase.List
	l.If(true, "grpc-go %s", grpc.Version)
	for _, c := range g.Calls {
		l.If(true, "%s", c)
	}
	l.If(g.Ping > 0, "keepalive every %v", g.Ping)
	l.If(g.Secure, "TLS")
	return l.String()
}

// Drive makes the calls.
func (g GRPCClient) Drive(ctx context.Context, e *peer.Env) error {
	options := []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.ForceCodec(octets{})),
		grpc.WithDisableServiceConfig(),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return peer.Dial(ctx, e.Client, address, peer.Sockopts{NoDelay: true})
		}),
	}
	creds := insecure.NewCredentials()
	if g.Secure {
		keys, err := os.OpenFile(e.KeyLog(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer keys.Close()
		creds = credentials.NewTLS(&tls.Config{
			KeyLogWriter: keys, ServerName: "server.lab", InsecureSkipVerify: true,
		})
	}
	options = append(options, grpc.WithTransportCredentials(creds))
	if g.Ping > 0 {
		options = append(options, grpc.WithKeepaliveParams(
			keepalive.ClientParameters{Time: g.Ping, PermitWithoutStream: true}))
	}
	channel, err := grpc.NewClient("passthrough:///"+e.Goal(), options...)
	if err != nil {
		return err
	}
	defer channel.Close()
	for _, c := range g.Calls {
		c.drive(ctx, e, channel)
	}
	return ctx.Err()
}

// drive makes all calls of a kind.
func (c GRPCCall) drive(ctx context.Context, e *peer.Env, channel *grpc.ClientConn) {
	for range max(c.Count, 1) {
		var wait sync.WaitGroup
		for range max(c.Parallel, 1) {
			wait.Go(func() { c.call(ctx, e, channel) })
		}
		wait.Wait()
		peer.Pause(ctx, c.Pause)
	}
	peer.Pause(ctx, c.Then)
}

// call is one call; its status counts as the log's.
func (c GRPCCall) call(ctx context.Context, e *peer.Env, channel *grpc.ClientConn) {
	if c.Deadline > 0 {
		limited, cancel := context.WithTimeout(ctx, c.Deadline)
		defer cancel()
		ctx = limited
	}
	if c.Cancel > 0 {
		limited, cancel := context.WithCancel(ctx)
		defer cancel()
		defer time.AfterFunc(c.Cancel, cancel).Stop()
		ctx = limited
	}
	began := time.Now()
	var r peer.Request
	var err error
	switch c.Method {
	case "Watch", "Chat":
		r.Bytes, err = c.stream(ctx, channel)
	default:
		asked, answer := peer.Fill(c.Body), []byte(nil)
		err = channel.Invoke(ctx, c.path(), &asked, &answer)
		r.Bytes = int64(len(answer))
	}
	r.Status = int(status.Code(err))
	e.Log.Add(began, r, err)
}

// path is that of the method.
func (c GRPCCall) path() string {
	if strings.HasPrefix(c.Method, "/") {
		return c.Method
	}
	return "/lab.Orders/" + c.Method
}

// stream watches, or talks and hears.
func (c GRPCCall) stream(ctx context.Context, channel *grpc.ClientConn) (n int64, err error) {
	s, err := channel.NewStream(ctx, &grpc.StreamDesc{
		StreamName: c.Method, ServerStreams: true, ClientStreams: c.Method == "Chat",
	}, c.path())
	if err != nil {
		return 0, err
	}
	for said := 0; ; said++ {
		asked, answer := peer.Fill(c.Body), []byte(nil)
		if said < max(c.Talk, 1) {
			err = s.SendMsg(&asked)
		}
		if said == max(c.Talk, 1)-1 {
			err = errors.Join(err, s.CloseSend())
		}
		if err != nil {
			return n, fmt.Errorf("send: %w", err)
		}
		if err := s.RecvMsg(&answer); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
		n += int64(len(answer))
		peer.Pause(ctx, c.Pause)
	}
}
