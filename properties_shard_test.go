package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/shard"
	"tcpwhy/capture"
)

// shardsEvery is of how many scenarios TestShards looks at one.
var shardsEvery = flag.Int("shards-every", 4, "of so many scenarios one in TestShards")

// shardRounds is how many mixtures TestShardsOfMixtures makes.
var shardRounds = flag.Int("shard-rounds", 12, "mixtures in TestShardsOfMixtures")

// sharded analyses files in pieces, in an order of its own, each step with what the one before
// wrote, and some of it twice.
func sharded(
	t *testing.T, files []string, shards int, rnd *rand.Rand, opts ...analysis.Option,
) string {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	twice := func(all [][]byte) [][]byte {
		if len(all) > 0 {
			all = append(all, all[rnd.IntN(len(all))])
		}
		rnd.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
		return all
	}
	var indexes, accounts, followed [][]byte
	for input, file := range files {
		x, err := shard.Index(ctx, capture.File(file), input, nil)
		must(err)
		indexes = append(indexes, x)
	}
	made, err := shard.NewPlan(twice(indexes), shards)
	must(err)
	octets, err := made.AppendBinary(nil)
	must(err)
	var p shard.Plan
	must(p.UnmarshalBinary(octets))
	blocks := make([][][]byte, shards)
	for input, file := range files {
		account, err := p.Read(ctx, capture.File(file), input, nil,
			func(shard int, block []byte) error {
				blocks[shard] = append(blocks[shard], block)
				return nil
			})
		must(err)
		accounts = append(accounts, account)
	}
	for s, own := range blocks {
		if len(own) > 0 {
			f, err := p.Follow(ctx, s, twice(own), append(opts, analysis.WithWorkers(1))...)
			must(err)
			followed = append(followed, f)
		}
	}
	r, err := p.Judge(twice(accounts), twice(followed), opts...)
	must(err)
	return render(t, "json", r)
}

// atOnce analyses files as one process does.
func atOnce(t *testing.T, files []string, opts ...analysis.Option) string {
	t.Helper()
	src, err := capture.Open(capture.Config{Inputs: files})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := analysis.Run(context.Background(), src, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return render(t, "json", r)
}

// TestShards: a capture that is analysed in pieces has the report of one process, to the octet.
func TestShards(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("testdata/pcaps/*/scenario.txt")
	if err != nil || len(dirs) == 0 {
		t.Fatal(err)
	}
	every := *shardsEvery
	if testing.Short() || raced {
		every *= 4
	}
	for i, name := range dirs {
		if i%every != 0 {
			continue
		}
		dir := filepath.Dir(name)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(uint64(i), 19))
			files := captures(t, dir)
			opts := []analysis.Option{analysis.WithKeys(keysBeside(t, files[0]))}
			want := atOnce(t, files, opts...)
			for _, shards := range []int{1, 7} {
				if got := sharded(t, files, shards, rnd, opts...); got != want {
					t.Errorf("%d shards: %s", shards, whereApart(got, want))
				}
			}
		})
	}
}

// TestShardsOfMixtures: the same of scenarios that lie over each other, with hosts of their own or
// with those they have in common, in one file, in files one after the other, and in files that go
// on side by side.
func TestShardsOfMixtures(t *testing.T) {
	t.Parallel()
	byLink := map[uint16][]neighbour{}
	for _, n := range neighbours(t) {
		if latest(n.packets)-n.packets[0].at < int64(longestPart) {
			byLink[n.link] = append(byLink[n.link], n)
		}
	}
	for round := range *shardRounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(uint64(round), 20))
			all := byLink[ethernet]
			mixed := trace{link: ethernet}
			for i := range 3 + rnd.IntN(10) {
				n := all[rnd.IntN(len(all))]
				tr := n.trace.clone()
				if round%2 == 0 {
					key := byte(1 + i*17)
					tr = tr.edit(func(h *headers) {
						for side, e := range [2]netip.AddrPort{h.src(), h.dst()} {
							h.setEndpoint(side, netip.AddrPortFrom(moveHost(e.Addr(), key), e.Port()))
						}
					})
				}
				by := packetsStart.UnixNano() + rnd.Int64N(int64(3*time.Second)) - earliest(tr.packets)
				for k := range tr.packets {
					tr.packets[k].at += by
				}
				mixed.packets = append(mixed.packets, tr.packets...)
			}
			slices.SortStableFunc(mixed.packets, func(a, b packet) int { return cmp.Compare(a.at, b.at) })
			files := mixed.files(t, rnd, round%3)
			want := atOnce(t, files)
			for _, shards := range []int{3, 64} {
				if got := sharded(t, files, shards, rnd); got != want {
					t.Errorf("%d shards of %d files: %s", shards, len(files), whereApart(got, want))
				}
			}
		})
	}
}

// ethernet is the link type of most scenarios.
const ethernet = 1

// files writes a trace: in one file, in some one after the other, or side by side.
func (tr trace) files(t *testing.T, rnd *rand.Rand, way int) (names []string) {
	t.Helper()
	parts := []trace{{link: tr.link}}
	n := 1 + way*rnd.IntN(5)
	for i, p := range tr.packets {
		at := 0
		switch way {
		case 1:
			at = i * n / len(tr.packets)
		case 2:
			at = rnd.IntN(n)
		}
		for len(parts) <= at {
			parts = append(parts, trace{link: tr.link})
		}
		parts[at].packets = append(parts[at].packets, p)
	}
	dir := t.TempDir()
	for i, part := range parts {
		if len(part.packets) == 0 {
			continue
		}
		names = append(names, filepath.Join(dir, fmt.Sprintf("%d.pcap", i)))
		if err := os.WriteFile(names[len(names)-1], part.pcap(t, true), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return names
}
