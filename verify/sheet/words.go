package sheet

import "github.com/tamthe/tamthe/verify"

// labels are the fixed words of the page; all else are the view's.
type labels struct {
	Title, Holder, Portrait, NoPortrait, Checks, Unchecked, Basis, Officer, Foot string
}

var english = labels{
	Title: "Inspection report", Holder: "Holder, as the chip says", Portrait: "portrait from the chip",
	NoPortrait: "the portrait cannot be shown", Checks: "What was checked", Unchecked: "What was not checked",
	Basis: "What this report rests on", Officer: "Officer (signature, name in full)",
	Foot: "Made by tamthe for the officer who checked this card. It holds personal data: keep it as the law says, and destroy it when the purpose is met.",
}

var vietnamese = labels{
	Title: "Biên bản kiểm tra thẻ", Holder: "Người được cấp, theo dữ liệu trong chip", Portrait: "ảnh trong chip",
	NoPortrait: "không hiển thị được ảnh", Checks: "Đã kiểm tra", Unchecked: "Chưa kiểm tra",
	Basis: "Căn cứ của kết quả", Officer: "Cán bộ kiểm tra (ký, ghi rõ họ tên)",
	Foot: "Do tamthe lập cho cán bộ đã kiểm tra thẻ. Biên bản có dữ liệu cá nhân: giữ đúng quy định của pháp luật và hủy khi đã xong mục đích.",
}

func words(l verify.Lang) labels {
	if l == verify.Vietnamese {
		return vietnamese
	}
	return english
}
