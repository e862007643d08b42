package frame

import "testing"

func TestLinkTypeString(t *testing.T) {
	for link, want := range map[LinkType]string{
		LinkEthernet: "Ethernet", LinkCooked2: "LINUX_SLL2", 65000: "link type 65000",
	} {
		if got := link.String(); got != want {
			t.Errorf("%d is %q, want %q", uint16(link), got, want)
		}
	}
}
