package reassembly

import "testing"

// TestHashOfChosenAddresses tries addresses that cancel what a known hash mixes in: the seeds are
// secret.
func TestHashOfChosenAddresses(t *testing.T) {
	seen := make(map[uint32]bool)
	const n = 10_000
	for i := range n {
		var a [16]byte
		a[0], a[1], a[6], a[7] = 0x20, 0x01, byte(i>>8), byte(i)
		copy(a[8:], []byte{0xdb, 0x28, 0xb4, 0xa0, 0xd1, 0x7e, 0x03, 0xe7})
		key := tuple{a: a, b: a, ap: 1, bp: 2}
		seen[key.hash()] = true
	}
	if len(seen) < n*99/100 {
		t.Errorf("%d hashes of %d addresses", len(seen), n)
	}
}
