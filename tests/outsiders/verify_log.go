// Verifies a live vault's log with the libraries of Go's checksum database, which know nothing of
// Coffer: golang.org/x/mod/sumdb/note and tlog.
//
//	verify_log PREFIX CA-FILE VERIFIER-KEY
//
// The bearer token is in COFFER_TOKEN. Prints a line for each thing that was verified; ends with 1 at
// the first one that is not right.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8 // 256 hashes, as C2SP tlog-tiles has it

func check(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "verify_log: %s: %v\n", what, err)
		os.Exit(1)
	}
}

func ensure(ok bool, format string, arguments ...interface{}) {
	if !ok {
		check(fmt.Errorf(format, arguments...), "not as it should be")
	}
}

type log struct {
	prefix, token string
	http          *http.Client
	fetched       int
}

func (l *log) get(path string) ([]byte, *http.Response) {
	request, err := http.NewRequest("GET", l.prefix+path, nil)
	check(err, path)
	request.Header.Set("Authorization", "Bearer "+l.token)
	response, err := l.http.Do(request)
	check(err, path)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	check(err, path)
	l.fetched++
	return body, response
}

func (l *log) mustGet(path, mediaType string) []byte {
	body, response := l.get(path)
	ensure(response.StatusCode == 200, "%s: %s: %s", path, response.Status, body)
	ensure(response.Header.Get("Content-Type") == mediaType, "%s is %s", path, response.Header.Get("Content-Type"))
	return body
}

// The library's tiles are "tile/8/L/N"; tlog-tiles leaves the height out.
func (l *log) path(tile tlog.Tile) string {
	return "/" + strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
}

func (l *log) Height() int { return tileHeight }

func (l *log) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		data = append(data, l.mustGet(l.path(tile), "application/octet-stream"))
	}
	return data, nil
}

func (l *log) SaveTiles([]tlog.Tile, [][]byte) {}

// The last signed tree.
func (l *log) checkpoint(verifier note.Verifier) tlog.Tree {
	signed := l.mustGet("/checkpoint", "text/plain; charset=utf-8")
	opened, err := note.Open(signed, note.VerifierList(verifier))
	check(err, "the checkpoint's signature")
	lines := strings.Split(opened.Text, "\n")
	ensure(len(lines) >= 4 && lines[0] == verifier.Name(), "the checkpoint is %q", opened.Text)
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err, "the checkpoint's size")
	root, err := tlog.ParseHash(lines[2])
	check(err, "the checkpoint's root")
	return tlog.Tree{N: size, Hash: root}
}

// Every entry, from the bundles.
func (l *log) entries(size int64) [][]byte {
	var entries [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := size - n*256
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: tileHeight, L: -1, N: n, W: int(width)}
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/data/", tileHeight), "tile/entries/", 1)
		bundle := l.mustGet("/"+path, "application/octet-stream")
		for count := int64(0); count < width; count++ {
			ensure(len(bundle) >= 2, "bundle %d ends at entry %d", n, count)
			length := int(binary.BigEndian.Uint16(bundle))
			ensure(len(bundle) >= 2+length, "bundle %d ends within entry %d", n, count)
			entries = append(entries, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
		ensure(len(bundle) == 0, "bundle %d is longer than its entries", n)
	}
	return entries
}

func main() {
	ensure(len(os.Args) == 4, "usage: verify_log PREFIX CA-FILE VERIFIER-KEY")
	ca, err := os.ReadFile(os.Args[2])
	check(err, "the authority's certificate")
	roots := x509.NewCertPool()
	ensure(roots.AppendCertsFromPEM(ca), "no certificate in %s", os.Args[2])
	verifier, err := note.NewVerifier(os.Args[3])
	check(err, "the verifier key")
	l := &log{
		prefix: os.Args[1],
		token:  os.Getenv("COFFER_TOKEN"),
		http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots}}},
	}

	tree := l.checkpoint(verifier)
	fmt.Printf("checkpoint of %d entries: signature right\n", tree.N)

	// Every tile that this reads is checked against the signed root.
	hashes := tlog.TileHashReader(tree, l)
	entries := l.entries(tree.N)
	leaves := make([]int64, tree.N)
	for i := range leaves {
		leaves[i] = tlog.StoredHashIndex(0, int64(i))
	}
	stored, err := hashes.ReadHashes(leaves)
	check(err, "the tiles")
	for i, entry := range entries {
		ensure(tlog.RecordHash(entry) == stored[i], "entry %d is not what was signed", i)
		var members map[string]interface{}
		check(json.Unmarshal(entry, &members), "an entry as JSON")
		ensure(members["seq"] == float64(i), "entry %d says that it is %v", i, members["seq"])
	}
	fmt.Printf("%d entries: in the signed tree\n", len(entries))

	// The documents that the vault gives of single entries say what the library computes.
	base := strings.TrimSuffix(l.prefix, "/log")
	api := &log{prefix: base, token: l.token, http: l.http}
	for _, n := range []int64{0, 1, tree.N / 2, tree.N - 1} {
		proof, err := tlog.ProveRecord(tree.N, n, hashes)
		check(err, "proving")
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, n, tlog.RecordHash(entries[n])), "the library's own proof")
		document := api.mustGet(fmt.Sprintf("/v1/log/entries/%d/proof", n), "text/plain; charset=utf-8")
		parts := bytes.SplitN(document, []byte("\n\n"), 2)
		ensure(len(parts) == 2, "proof of entry %d: %s", n, document)
		lines := strings.Split(string(parts[0]), "\n")
		ensure(lines[0] == "c2sp.org/tlog-proof@v1" && lines[1] == fmt.Sprintf("index %d", n),
			"proof of entry %d begins %q", n, lines[0:2])
		opened, err := note.Open(parts[1], note.VerifierList(verifier))
		check(err, "the signature in a proof")
		fields := strings.Split(opened.Text, "\n")
		size, err := strconv.ParseInt(fields[1], 10, 64)
		check(err, "the size in a proof")
		root, err := tlog.ParseHash(fields[2])
		check(err, "the root in a proof")
		var given tlog.RecordProof
		for _, line := range lines[2:] {
			hash, err := tlog.ParseHash(line)
			check(err, "a hash in a proof")
			given = append(given, hash)
		}
		check(tlog.CheckRecord(given, size, root, n, tlog.RecordHash(entries[n])), "the vault's proof")
	}
	fmt.Println("proofs of single entries: right")

	// Looking made the log grow.
	newer := tree
	for deadline := time.Now().Add(30 * time.Second); newer.N == tree.N; newer = l.checkpoint(verifier) {
		ensure(time.Now().Before(deadline), "no new checkpoint came")
		time.Sleep(50 * time.Millisecond)
	}
	proof, err := tlog.ProveTree(newer.N, tree.N, tlog.TileHashReader(newer, l))
	check(err, "proving consistency")
	check(tlog.CheckTree(proof, newer.N, newer.Hash, tree.N, tree.Hash), "the tiles' consistency")
	var given struct{ Hashes []string }
	check(json.Unmarshal(api.mustGet(fmt.Sprintf("/v1/log/consistency?from=%d&to=%d", tree.N, newer.N),
		"application/json"), &given), "the vault's consistency proof")
	var theirs tlog.TreeProof
	for _, text := range given.Hashes {
		hash, err := base64.StdEncoding.DecodeString(text)
		check(err, "a hash of the consistency proof")
		ensure(len(hash) == 32, "a hash of %d bytes", len(hash))
		var fixed tlog.Hash
		copy(fixed[:], hash)
		theirs = append(theirs, fixed)
	}
	check(tlog.CheckTree(theirs, newer.N, newer.Hash, tree.N, tree.Hash), "the vault's consistency proof")
	fmt.Printf("%d entries are the beginning of %d: proven\n", tree.N, newer.N)
}
