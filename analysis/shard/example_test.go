package shard_test

import (
	"context"
	"fmt"
	"log"

	"tcpwhy/analysis/shard"
	"tcpwhy/capture"
)

// The steps in one process; a program that has many machines has each of them done where there is
// room, and moves what they give.
func Example() {
	const pcaps = "../../testdata/pcaps/"
	ctx := context.Background()
	recordings := []capture.Recording{
		capture.File(pcaps + "cork-kept-rtt10/capture.pcap"),
		capture.File(pcaps + "connection-refused-restart-rtt50/capture.pcap"),
	}
	must := func(octets []byte, err error) []byte {
		if err != nil {
			log.Fatal(err)
		}
		return octets
	}
	var indexes, accounts, followed [][]byte
	for input, r := range recordings {
		indexes = append(indexes, must(shard.Index(ctx, r, input, nil)))
	}
	plan, err := shard.NewPlan(indexes, 4)
	if err != nil {
		log.Fatal(err)
	}
	blocks := map[int][][]byte{} // by shard
	for input, r := range recordings {
		keep := func(shard int, block []byte) error {
			blocks[shard] = append(blocks[shard], block)
			return nil
		}
		accounts = append(accounts, must(plan.Read(ctx, r, input, nil, keep)))
	}
	for of, all := range blocks {
		followed = append(followed, must(plan.Follow(ctx, of, all)))
	}
	r, err := plan.Judge(accounts, followed)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range r.Stories {
		fmt.Println(s.Rule, s.Severity)
	}
	// Output:
	// cork high
	// connection-refused medium
}
