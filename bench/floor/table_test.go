package main

import "testing"

// Both directions of a connection are one entry, and growing loses none.
func TestTable(t *testing.T) {
	table := newTable()
	for round := range 2 {
		for i := range uint32(5000) {
			k := key{0x0a000000 + i, 0xc0000201, 40000, 80}
			if round == 1 {
				k = key{k.b, k.a, k.bp, k.ap}
			}
			c := table.find(k.ordered())
			c.segments++
			c.octets += uint64(i)
		}
	}
	segments, octets := table.total()
	if table.used != 5000 || segments != 10000 || octets != 2*4999*5000/2 {
		t.Errorf("%d connections, %d segments, %d octets", table.used, segments, octets)
	}
}
