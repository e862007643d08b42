//go:build linux

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// String is the link in words.
func (l Link) String() string {
	words := []string{fmt.Sprintf("%v to the server, %v to the client", l.Delay[0], l.Delay[1])}
	for d, way := range []string{"to the server", "to the client"} {
		if l.Rate[d] > 0 {
			words = append(
				words,
				fmt.Sprintf("%d kbit/s %s, a queue of %d octets", l.Rate[d]/1000, way, l.queue(d)),
			)
		}
	}
	if l.Fair {
		words = append(words, "who sends little does not wait behind who sends much")
	}
	for _, d := range l.Drops {
		words = append(words, d.String())
	}
	if l.Loss > 0 {
		words = append(
			words,
			fmt.Sprintf("%.1f %% of frames lost at random, seed %d", l.Loss*100, l.Seed),
		)
	}
	if l.Reorder > 0 {
		words = append(
			words,
			fmt.Sprintf(
				"every data segment number %d to the client late by %v",
				l.Reorder,
				l.ReorderBy,
			),
		)
	}
	if l.Jitter > 0 {
		words = append(
			words,
			fmt.Sprintf("each frame late by up to %v at random, seed %d", l.Jitter, l.Seed),
		)
	}
	if l.Duplicate > 0 {
		words = append(
			words,
			fmt.Sprintf("every data segment number %d to the client arrives twice", l.Duplicate),
		)
	}
	if text := l.Box.String(); text != "" {
		words = append(words, "in the middle: "+text)
	}
	if l.Offload {
		words = append(words, "segmentation and checksum offload on at both ends")
	} else {
		words = append(words, "offloads off")
	}
	return strings.Join(words, "; ")
}

// queue is the octets that may wait for the rate.
func (l Link) queue(d int) int64 {
	if l.Queue[d] == 0 {
		return 256 << 10
	}
	return int64(l.Queue[d])
}
