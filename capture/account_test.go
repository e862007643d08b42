package capture

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/pcapio"
)

func newTestAccount() *account {
	return &account{stats: &Stats{Inputs: make([]Input, 2)}, input: 1, secrets: new(int)}
}

func TestAccountInterfaces(t *testing.T) {
	a := newTestAccount()
	links := []frame.LinkType{frame.LinkEthernet, frame.LinkCooked2, frame.LinkEthernet}
	for i, link := range links {
		described := pcapio.Interface{
			Name: "eth0", Link: link, Resolution: time.Microsecond, SnapLen: 96,
		}
		if index, err := a.AddInterface(described); err != nil || int(index) != i {
			t.Errorf("interface %d, error %v, want %d", index, err, i)
		}
	}
	if got := a.of().LinkTypes; !slices.Equal(got, []string{"Ethernet", "LINUX_SLL2"}) {
		t.Errorf("link types %v", got)
	}
	want := Interface{
		Input: 1, Name: "eth0", LinkType: "LINUX_SLL2", Resolution: time.Microsecond, SnapLen: 96,
	}
	if got := a.stats.Interfaces[1]; got != want {
		t.Errorf("interface %+v, want %+v", got, want)
	}
	for range interfacesMax - len(links) {
		if _, err := a.AddInterface(pcapio.Interface{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.AddInterface(pcapio.Interface{}); err != errInterfaces {
		t.Errorf("error %v, want %v", err, errInterfaces)
	}
}

func TestAccountLinkTypesAreBounded(t *testing.T) {
	a := newTestAccount()
	for link := range frame.LinkType(2 * linkTypesMax) {
		if _, err := a.AddInterface(pcapio.Interface{Link: link}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(a.of().LinkTypes); n != linkTypesMax {
		t.Errorf("%d link types, want %d", n, linkTypesMax)
	}
}

func TestAccountCommentsAreBounded(t *testing.T) {
	a := newTestAccount()
	for range 2 * commentsMax {
		a.AddComment("")
		a.AddFrameComment(7, []byte(strings.Repeat("ü", commentMax)))
	}
	comments := a.of().Comments
	if len(comments) != commentsMax || len(comments[0]) > commentMax {
		t.Errorf("%d comments, the first of %d octets", len(comments), len(comments[0]))
	}
	if !strings.HasPrefix(comments[0], "frame 7: üü") {
		t.Errorf("comment %q", comments[0])
	}
}

func TestAccountSecretsAreBounded(t *testing.T) {
	a := newTestAccount()
	key := []byte("CLIENT_RANDOM 00 11\n")
	a.AddSecrets(key)
	large := make([]byte, 900<<10)
	for range 6 {
		a.AddSecrets(large)
	}
	for range 20000 {
		a.AddSecrets(nil)
	}
	key[0] = 'X' // it was copied
	// After the first and four large ones there is room for some thousand empty ones.
	room := (secretsMax - len(key) - 4*len(large)) / secretsCost
	got := a.stats.Secrets
	if n := len(got); n <= 5 || n > 5+room || string(got[0]) != "CLIENT_RANDOM 00 11\n" {
		t.Errorf("%d secrets, the first %q", n, got[0])
	}
}

func TestAccountClockSets(t *testing.T) {
	a := newTestAccount()
	for _, text := range []string{
		"clock set by -5000 ns before this frame; times go on as if it had not been",
		"clock set by 3000 ns",
		"clock set by hand", "slow", "",
		"clock set by 99999999999999999999999 ns",
	} {
		a.AddFrameComment(1, []byte(text))
	}
	if s := a.stats; s.ClockSets != 2 || s.MaxSet != 5*time.Microsecond {
		t.Errorf("set %d times, by at most %v, want 2 and 5µs", s.ClockSets, s.MaxSet)
	}
}
