package shard

import (
	"context"
	"errors"
	"testing"
	"testing/fstest"

	"tcpwhy/capture"
	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
)

const aCapture = "../../testdata/pcaps/cork-kept-rtt10/capture.pcap"

// TestBad: a recording that is none is noted, what is not of a step is refused, and a context that
// has ended ends each step.
func TestBad(t *testing.T) {
	ctx := t.Context()
	text := capture.FS(fstest.MapFS{"a.txt": {Data: []byte("no capture")}}, "a.txt")
	good, err := Index(ctx, capture.File(aCapture), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	bad, err := Index(ctx, text, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan([][]byte{bad, good}, 3)
	if err != nil || p.Bad() != 1 {
		t.Fatalf("%v, %d are bad", err, p.Bad())
	}
	var accounts, blocks [][]byte
	for input, r := range []capture.Recording{capture.File(aCapture), text} {
		account, err := p.Read(ctx, r, input, nil, func(_ int, block []byte) error {
			blocks = append(blocks, block)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		accounts = append(accounts, account)
	}
	followed, err := p.Follow(ctx, 0, blocks)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Judge(accounts, [][]byte{followed})
	if err != nil || r.ExchangeCount != 6 {
		t.Fatalf("%v: %+v", err, r)
	}
	in := r.Capture.Inputs
	if len(in) != 2 || in[1].Complete || in[1].Error == "" || in[1].Name != "a.txt" ||
		!in[0].Complete {
		t.Errorf("inputs are %+v", in)
	}

	for name, err := range map[string]error{
		"no index":         second(NewPlan([][]byte{{1, 2, 3}}, 3)),
		"a lacking index":  second(NewPlan([][]byte{bad}, 3)),
		"no shard":         second(NewPlan([][]byte{good}, 0)),
		"no block":         second(p.Follow(ctx, 0, [][]byte{{}})),
		"a block cut":      second(p.Follow(ctx, 0, [][]byte{blocks[0][:len(blocks[0])-1]})),
		"an account lacks": second(p.Judge(accounts[:1], [][]byte{followed})),
		"nothing followed": second(p.Judge(accounts, [][]byte{{9}})),
		"another input":    second(p.Read(ctx, text, 7, nil, nil)),
		"no plan":          (&Plan{}).UnmarshalBinary([]byte("no plan")),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Index(over, capture.File(aCapture), 0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Index: %v", err)
	}
	_, err = p.Read(over, capture.File(aCapture), 0, nil, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v", err)
	}
	if _, err := p.Follow(over, 0, blocks); !errors.Is(err, context.Canceled) {
		t.Errorf("Follow: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestSets: keys that belong together have one root, in whatever order that became known.
func TestSets(t *testing.T) {
	joins := [][2]uint64{{5, 9}, {3, 9}, {7, 2}, {2, 5}, {20, 21}}
	for first := range joins {
		s := sets{}
		for i := range joins {
			j := joins[(first+i)%len(joins)]
			s.join(j[i%2], j[1-i%2])
		}
		for key, want := range map[uint64]uint64{9: 2, 5: 2, 3: 2, 7: 2, 2: 2, 21: 20, 20: 20, 8: 8} {
			if got := s.root(key); got != want {
				t.Errorf("from %d on: the root of %d is %d, want %d", first, key, got, want)
			}
		}
	}
}
