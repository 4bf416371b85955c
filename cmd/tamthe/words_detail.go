package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// bothError says itself in both languages.
type bothError phrase

func (e bothError) Error() string { return e.en }

// usageBoth is usagef in both languages; both take the same arguments.
func usageBoth(t phrase, a ...any) error {
	return usageError{bothError{fmt.Sprintf(t.en, a...), fmt.Sprintf(t.vi, a...)}}
}

// What a command line lacks, or has too much of.
var (
	wordTakesNone  = phrase{"%s takes no argument, not %[3]d", "%s không nhận đối số nào, đã nhận %[3]d"}
	wordTakesOne   = phrase{"%s takes one argument, not %[3]d", "%s cần một đối số, đã nhận %[3]d"}
	wordTakes      = phrase{"%s takes %d arguments, not %d", "%s cần %d đối số, đã nhận %d"}
	wordAtLeast    = phrase{"%s takes %d arguments or more, not %d", "%s cần ít nhất %d đối số, đã nhận %d"}
	wordNoVerb     = phrase{"there is no verb %q", "không có lệnh %q"}
	wordNeedsVerb  = phrase{"%s needs one of its verbs: %s", "%s cần một lệnh con: %s"}
	wordNearVerb   = phrase{"%s has no verb %q; is %s meant?", "%s không có lệnh %q; có phải %s không?"}
	wordHasNoVerb  = phrase{"%s has no verb %q", "%s không có lệnh %q"}
	wordNoPortrait = phrase{"--portrait names the portrait", "thiếu ảnh chân dung: --portrait nêu tệp ảnh"}
	wordTwoFirst   = phrase{"--operator and --second name the first two operators, two people", "--operator và --second nêu hai cán bộ đầu tiên, là hai người khác nhau"}
	wordFirstAdmin = phrase{"the first two operators must be admin", "hai cán bộ đầu tiên phải có quyền admin"}
	wordNoRoles    = phrase{"--roles says what the operator may do", "--roles nêu các quyền của cán bộ"}
	wordNoRole     = phrase{"there is no role %q; the roles are %v", "không có quyền %q; các quyền là %v"}
	wordNoNumber   = phrase{"%q is no number", "%q không phải là số"}
	wordOcrScan    = phrase{"--ocr and --scan go together", "--ocr và --scan phải đi cùng nhau"}
	wordOneWord    = phrase{"%s is one word of small letters, digits and hyphens, at most 32 of them", "%s là một từ gồm chữ thường không dấu, chữ số và gạch nối, dài nhất 32 ký tự"}
	wordEnOrVi     = phrase{"%s is en or vi, not %q", "%s là en hoặc vi, không phải %q"}
	wordStdinOnce  = phrase{"standard input can be read for one file only", "đầu vào chuẩn chỉ đọc được cho một tệp"}
)

// detail is what an error says, in Vietnamese; "" where it has not been said in it.
func detail(err error) string {
	if e, ok := errors.AsType[*vn.FieldError](err); ok { // with the file that it is about
		return strings.Replace(err.Error(), e.Error(), e.Vietnamese(), 1)
	}
	if e, ok := errors.AsType[*desk.GapError](err); ok {
		return fmt.Sprintf("lô %s tại %s: sổ ghi phải còn %d phôi, đếm được %d", e.Batch, e.At, e.Book, e.Counted)
	}
	if e, ok := errors.AsType[*issuance.TransitionError](err); ok {
		return transitionVi(e)
	}
	if e, ok := errors.AsType[*issuance.DuplicateError](err); ok {
		return duplicateVi(e)
	}
	if e, ok := errors.AsType[*ledger.LeaseError](err); ok {
		return leaseVi(e)
	}
	if e, ok := errors.AsType[*keptError](err); ok {
		return keptVi(e)
	}
	if e, ok := errors.AsType[*desk.AlreadyKeptError](err); ok {
		return "hồ sơ " + e.Application
	}
	if e, ok := errors.AsType[bothError](err); ok {
		return e.vi
	}
	return flagVi(err)
}

// flagVi says what is wrong with a flag.
func flagVi(err error) string {
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := "--" + e.GetSpecifiedName()
		if e.GetSpecifiedShortnames() != "" {
			name = "-" + e.GetSpecifiedName()
		}
		return "không có cờ " + name
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return "thiếu giá trị của --" + e.GetSpecifiedName()
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return fmt.Sprintf("giá trị %q của --%s không hợp lệ", e.GetValue(), e.GetFlag().Name)
	}
	return ""
}

func duplicateVi(e *issuance.DuplicateError) string {
	switch e.Claim.Kind {
	case issuance.HoldApplication:
		return "người này đã có hồ sơ đang giải quyết: " + e.Holder.ID
	case issuance.HoldCard:
		return "người này đã có thẻ còn hiệu lực: " + e.Holder.ID
	case issuance.HoldName:
		return "đã có cán bộ mang tên này"
	}
	return fmt.Sprintf("%s đã thuộc %s %s", e.Claim.Kind, firstOf(kindsVi, e.Holder.Kind), e.Holder.ID)
}

// transitionVi says where a thing stands and which acts may follow; an act keeps the name
// that the ledger has for it, which mostly is its verb's.
func transitionVi(e *issuance.TransitionError) string {
	possible := "không có việc nào"
	if len(e.Possible) > 0 {
		names := make([]string, len(e.Possible))
		for i, a := range e.Possible {
			names[i] = string(a)
		}
		possible = strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s %s %s: không làm được %s; làm được: %s", firstOf(kindsVi, e.Stream.Kind), e.Stream.ID, firstOf(phasesVi, e.Phase), e.Act, possible)
}

// firstOf is the word for a name, else the name itself.
func firstOf[K ~string](words map[K]string, name K) string {
	return first(words[name], string(name))
}

var kindsVi = map[issuance.Kind]string{
	issuance.KindApplication: "hồ sơ", issuance.KindCard: "thẻ", issuance.KindKey: "khóa",
	issuance.KindOperator: "cán bộ", issuance.KindStock: "lô phôi", issuance.KindDesk: "quầy",
	issuance.KindPerson: "công dân", issuance.KindDay: "ngày", issuance.KindConflict: "mâu thuẫn",
}

var phasesVi = map[issuance.Phase]string{
	issuance.Absent: "chưa có", issuance.Enrolled: "đã tiếp nhận", issuance.Differing: "khác dữ liệu dân cư", issuance.Suspected: "nghi trùng sinh trắc",
	issuance.Approved: "đã duyệt", issuance.Personalising: "đang cá thể hóa", issuance.Issued: "đã cấp",
	issuance.Rejected: "đã bị từ chối", issuance.Cancelled: "đã rút", issuance.Disputed: "đang bị khiếu nại",
	issuance.Locked: "đã cá thể hóa, chưa in", issuance.Printed: "đã in, chưa kiểm tra", issuance.Checked: "đã kiểm tra, chưa giao",
	issuance.Failed: "kiểm tra không đạt", issuance.InTransit: "đang chuyển đi", issuance.Arrived: "đã chuyển đến",
	issuance.Active: "đang có hiệu lực", issuance.Suspended: "đang tạm ngừng", issuance.Superseded: "đã được thay",
	issuance.Revoked: "đã bị thu hồi", issuance.Spoiled: "đã hỏng", issuance.Returned: "đã thu lại", issuance.Destroyed: "đã hủy",
	issuance.Closed: "đã khóa sổ", issuance.Counting: "đang đếm",
}
