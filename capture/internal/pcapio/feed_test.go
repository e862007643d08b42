package pcapio

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

func TestFeedGrowsOnlyAsOctetsCome(t *testing.T) {
	in := newFeed(bytes.NewReader(make([]byte, 100)), make([]byte, 16))
	shown, err := in.peek(1 << 30)
	if len(shown) != 100 || err != io.EOF {
		t.Errorf("peek showed %d octets, error %v; want 100 and EOF", len(shown), err)
	}
	if len(in.buf) > 200 {
		t.Errorf("buffer of %d octets for a stream of 100", len(in.buf))
	}
}

func TestFeedPeekAndSkip(t *testing.T) {
	stream := make([]byte, 1000)
	for i := range stream {
		stream[i] = byte(i)
	}
	in := newFeed(iotest.OneByteReader(bytes.NewReader(stream)), make([]byte, 8))
	shown, err := in.peek(20)
	if err != nil || !bytes.Equal(shown, stream[:20]) {
		t.Fatalf("peek = %v, %v", shown, err)
	}
	in.consume(5)
	if n, err := in.skip(500); n != 500 || err != nil {
		t.Fatalf("skip = %d, %v", n, err)
	}
	if shown, err = in.peek(3); err != nil || !bytes.Equal(shown, stream[505:508]) {
		t.Fatalf("peek after skip = %v, %v", shown, err)
	}
	if n, err := in.skip(1000); n != 495 || err != io.EOF {
		t.Errorf("skip past the end = %d, %v; want 495 and EOF", n, err)
	}
}

// A live pipe shows each frame as soon as it is there.
func TestFeedDoesNotWaitForMore(t *testing.T) {
	from, to := io.Pipe()
	go func() { _, _ = to.Write([]byte("1234")) }()
	in := newFeed(from, make([]byte, 1024))
	if shown, err := in.peek(4); err != nil || string(shown) != "1234" {
		t.Errorf("peek = %q, %v", shown, err)
	}
}

func TestFeedEndsWithoutProgress(t *testing.T) {
	in := newFeed(stuckReader{}, make([]byte, 8))
	if _, err := in.peek(4); err != io.ErrNoProgress {
		t.Errorf("error = %v, want %v", err, io.ErrNoProgress)
	}
}

// stuckReader never gives anything.
type stuckReader struct{}

func (stuckReader) Read([]byte) (int, error) { return 0, nil }
