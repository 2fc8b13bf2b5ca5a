package layer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

const (
	// typeSparse is a type of our own: a launcher that knows no sparse files refuses one, and does not take its data
	// for the whole.
	typeSparse = 'P'
	// extentsRecord is the extended header of a sparse file: its size, then the offset and the length of each extent.
	extentsRecord = "ERGOSPHERE.extents"
	// mostExtents keeps the record well below the 1 MiB that archive/tar reads.
	mostExtents = 10_000

	seekData = 3
	seekHole = 4
)

// extent is a part of a file that holds data. What lies between them are holes.
type extent struct{ offset, length int64 }

// writeContent writes a file without its holes: reading them as zeros would take as long as data does, while the program
// stands still.
func (w *writer) writeContent(header *tar.Header, opened *os.File, size int64) error {
	extents, err := extentsOf(opened, size)
	if err != nil {
		return err
	}
	header.Typeflag, header.Size = tar.TypeReg, total(extents)
	if header.Size < size {
		header.Typeflag = typeSparse
		header.PAXRecords = map[string]string{extentsRecord: layout(size, extents)}
	}
	err = w.tar.WriteHeader(header)
	for _, extent := range extents {
		if err == nil {
			err = copyExtent(w.tar, opened, extent)
		}
	}
	return err
}

// extentsOf finds the data of a file up to the given size. Of a file in too many pieces, the last extent holds the rest
// with its holes.
func extentsOf(opened *os.File, size int64) ([]extent, error) {
	var extents []extent
	for end := int64(0); end < size; {
		begin, err := opened.Seek(end, seekData)
		if err == nil {
			end, err = opened.Seek(begin, seekHole)
		}
		// Nothing but a hole follows, or the file has just been cut off.
		if errors.Is(err, syscall.ENXIO) || err == nil && begin >= size {
			break
		}
		if err != nil {
			return nil, err
		}
		if end > size || len(extents) == mostExtents-1 {
			end = size
		}
		extents = append(extents, extent{begin, end - begin})
	}
	return extents, nil
}

func total(extents []extent) (sum int64) {
	for _, extent := range extents {
		sum += extent.length
	}
	return sum
}

func layout(size int64, extents []extent) string {
	text := strconv.AppendInt(nil, size, 10)
	for _, extent := range extents {
		text = fmt.Appendf(text, " %d %d", extent.offset, extent.length)
	}
	return string(text)
}

// copyExtent makes up with zeros for what another container has cut off since: the header has promised it.
func copyExtent(to io.Writer, from io.ReaderAt, extent extent) error {
	copied, err := io.Copy(to, io.NewSectionReader(from, extent.offset, extent.length))
	if err == nil {
		_, err = io.CopyN(to, zeros{}, extent.length-copied)
	}
	return err
}

type zeros struct{}

func (zeros) Read(buffer []byte) (int, error) {
	clear(buffer)
	return len(buffer), nil
}

var errExtents = fmt.Errorf("the archive holds a sparse file whose extents are not as they must be: "+
	"at most %d, one behind the other, within the file's size, and of the length of its data", mostExtents)

// parseLayout trusts nothing: an extent may be neither before the end of the last one nor behind the file's.
func parseLayout(text string) (size int64, extents []extent, err error) {
	numbers, err := parseNumbers(text)
	if err != nil || len(numbers)%2 != 1 || len(numbers) > 1+2*mostExtents {
		return 0, nil, errExtents
	}
	size = numbers[0]
	for end, rest := int64(0), numbers[1:]; len(rest) > 0; rest = rest[2:] {
		next := extent{rest[0], rest[1]}
		if next.offset < end || next.length == 0 || next.length > size-next.offset {
			return 0, nil, errExtents
		}
		end = next.offset + next.length
		extents = append(extents, next)
	}
	return size, extents, nil
}

func parseNumbers(text string) ([]int64, error) {
	var numbers []int64
	for _, word := range strings.Fields(text) {
		number, err := strconv.ParseUint(word, 10, 63)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, int64(number))
	}
	return numbers, nil
}

func writeSparse(at int, name string, header *tar.Header, content io.Reader) error {
	size, extents, err := parseLayout(header.PAXRecords[extentsRecord])
	if err != nil {
		return err
	}
	if total(extents) != header.Size {
		return errExtents
	}
	file, err := create(at, name)
	if err != nil {
		return err
	}
	err = file.Truncate(size)
	for _, extent := range extents {
		if err == nil {
			_, err = io.CopyN(io.NewOffsetWriter(file, extent.offset), content, extent.length)
		}
	}
	return errors.Join(err, file.Close())
}
