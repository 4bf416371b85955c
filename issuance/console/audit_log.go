package console

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/receipt"
)

// Ledger is the log that the office's store is built on, as an auditor reads it. The stores
// are such.
type Ledger interface {
	Origin() string
	Checkpoint(ctx context.Context) (*ledger.Checkpoint, error)
	Cosigned() *ledger.Checkpoint
	Verifier(ctx context.Context) (note.Verifier, error)
	Leaf(ctx context.Context, index int64) ([]byte, error)
	IndexOf(ctx context.Context, entry [16]byte) (int64, error)
	Stream(ctx context.Context, s issuance.StreamID) ([]issuance.Entry, error)
	Entries(ctx context.Context, from int64, each func(index int64, leaf, payload []byte) error) error
	Prove(ctx context.Context, index int64) (*receipt.Proof, error)
	Consistency(ctx context.Context, older, newer int64) ([]tlog.Hash, error)
	VerifyAgainst(ctx context.Context, shown ...*ledger.Older) (*ledger.Report, error)
}

// Witnesses are whose cosignatures count, and how many of them there must be.
type Witnesses struct {
	Keys   []*receipt.WitnessKey
	Quorum int // 0: all
}

// The auditor's own problems.
var (
	errNoLog        = &problem{"no-ledger", http.StatusNotImplemented, say{"Trang này không có sổ cái để kiểm toán", "This console has no ledger to audit"}, say{"Hỏi người quản trị.", "Ask the administrator."}}
	errPaste        = &problem{"checkpoint-form", http.StatusBadRequest, say{"Đây không phải điểm chốt hay biên nhận do sổ cái này ký", "This is no checkpoint or receipt signed by this ledger"}, say{"Dán nguyên văn tệp đã lưu, kể cả các dòng chữ ký.", "Paste the whole file that was kept, the lines of the signatures too."}}
	errRewritten    = &problem{"rewritten", http.StatusConflict, say{"Sổ cái KHÔNG nối tiếp điểm chốt đã lưu: nó đã bị viết lại", "The ledger does NOT continue the checkpoint that was kept: it was rewritten"}, say{"Không dùng sổ cái này nữa. Giữ điểm chốt, sao cả hai và báo người có trách nhiệm.", "Stop using this ledger. Keep the checkpoint, copy both and report it."}}
	errRolledBack   = &problem{"rolled-back", http.StatusConflict, say{"Sổ cái ngắn hơn điểm chốt đã lưu: nó đã bị thay bằng bản cũ", "The ledger is shorter than the checkpoint that was kept: an older copy was put back"}, say{"Không dùng sổ cái này nữa. Giữ điểm chốt, sao cả hai và báo người có trách nhiệm.", "Stop using this ledger. Keep the checkpoint, copy both and report it."}}
	errLogSignature = &problem{"checkpoint-bad", http.StatusConflict, say{"Chữ ký trên điểm chốt của sổ cái SAI", "The signature on the ledger's checkpoint is WRONG"}, say{"Chạy «Kiểm tra toàn bộ sổ» và báo người có trách nhiệm.", "Run “Verify the whole ledger” and report it."}}
	errQuery        = &problem{"audit-query", http.StatusBadRequest, say{"Bộ lọc không đúng", "The filter cannot be read"}, say{"Ngày viết 2026-09-01; tên viết như trong sổ, ví dụ C-7K3QX2MB4D.", "A day is 2026-09-01; a name is as in the ledger, such as C-7K3QX2MB4D."}}
)

// policy is whom an auditor's proofs are held against: the log's key, and the witnesses as
// far as they are known. How many of them must have cosigned the page says apart.
func (q *request) policy() (receipt.Policy, error) {
	v, err := q.c.config.Ledger.Verifier(q.Context())
	if err != nil {
		return receipt.Policy{}, err
	}
	return receipt.Policy{Logs: []note.Verifier{v}, Witnesses: q.c.config.Watched.Keys}, nil
}

// logPage is the ledger at a glance.
type logPage struct {
	Origin, Root, Key string
	Size              int64
	Wrong             *Failure // the checkpoint's signature does not verify
	Note              string
	Watched           int // witnesses whose keys are known
	Quorum            int
	Cosigned          []receipt.Cosigned
	CosignedSize      int64
	Unwatched         bool // too few cosigned
	Conflicts         int
	Continued         *continued
	Failure           *Failure // of what was pasted
}

// auditLog shows the newest checkpoint, whether its signature is right, and who cosigned.
func (q *request) auditLog() error {
	p, err := q.logPage()
	if err != nil {
		return err
	}
	return q.render("audit_log.html", p)
}

func (q *request) logPage() (*logPage, error) {
	l := q.c.config.Ledger
	p := &logPage{Origin: l.Origin(), Watched: len(q.c.config.Watched.Keys)}
	policy, err := q.policy()
	if err != nil {
		return nil, err
	}
	conflicts, err := q.office.OpenConflicts(q.Context())
	if err != nil {
		return nil, err
	}
	p.Conflicts = len(conflicts)
	if p.Key, err = q.logKey(); err != nil {
		return nil, err
	}
	c, err := l.Checkpoint(q.Context())
	if err == nil {
		_, _, err = policy.Open(c.Note)
	}
	if err != nil {
		q.c.config.Log.ErrorContext(q.Context(), "checkpoint does not verify")
		p.Wrong = errLogSignature.told(q.lang)
		return p, nil
	}
	p.Size, p.Root, p.Note = c.Size, hex.EncodeToString(c.Root[:]), string(c.Note)
	q.watched(p, policy)
	return p, nil
}

// watched looks at the newest checkpoint that witnesses cosigned.
func (q *request) watched(p *logPage, policy receipt.Policy) {
	if p.Watched == 0 {
		return
	}
	if p.Quorum = q.c.config.Watched.Quorum; p.Quorum == 0 {
		p.Quorum = p.Watched
	}
	if w := q.c.config.Ledger.Cosigned(); w != nil {
		if c, list, err := policy.Open(w.Note); err == nil {
			p.Cosigned, p.CosignedSize = list, c.Size
		}
	}
	p.Unwatched = len(p.Cosigned) < p.Quorum
}

// logKey is the log's public key, as its first entry names it.
func (q *request) logKey() (string, error) {
	leaf, err := q.c.config.Ledger.Leaf(q.Context(), 0)
	if err != nil {
		return "", err
	}
	first, err := receipt.ParseLeaf(leaf)
	if err != nil {
		return "", err
	}
	return first.Fields["logkey"], nil
}

// auditCheckpoint gives the newest signed checkpoint as a file, to be kept elsewhere.
func (q *request) auditCheckpoint() error {
	c, err := q.c.config.Ledger.Checkpoint(q.Context())
	if err != nil {
		return err
	}
	return q.file(fmt.Sprintf("ledger-%d.checkpoint", c.Size), c.Note)
}

// file answers with a text to be kept.
func (q *request) file(name string, text []byte) error {
	h := q.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = q.w.Write(text) // the browser went away
	return nil
}

// auditVerify rebuilds the whole ledger, as a job, and keeps the report for its auditor.
func (q *request) auditVerify() error {
	return q.start(say{"Đang kiểm tra toàn bộ sổ cái", "The whole ledger is being verified"}, "/audit/", func(ctx context.Context, r report) (string, error) {
		r(say{"Dựng lại từng mục, chữ ký, quy tắc và cây băm", "Rebuilding entries, signatures, rules and tree"}.in(q.lang), 0, 0)
		found, err := q.c.config.Ledger.VerifyAgainst(ctx)
		if err != nil {
			return "", err
		}
		return "/audit/reports/" + q.c.audits.keep(q.operator.Name, found, q.c.config.Now()), nil
	})
}

// auditReport shows what the last verification found.
func (q *request) auditReport() error {
	a, err := q.c.audits.find(q.PathValue("report"), q.operator.Name)
	if err != nil {
		return err
	}
	return q.render("audit_report.html", struct {
		*ledger.Report
		At   time.Time
		Hash string
	}{a.report, a.at, hex.EncodeToString(a.report.Root[:])})
}
