//! Our transcription of the register addresses against another one: `imxrt-ral`, made from NXP's register description.

use flexspi_nor::registers::{ccm, ccm_analog, flexspi, gpt2, iomuxc, rtwdog, wdog};
use imxrt_ral as ral;
use std::mem::offset_of;

fn at<T>(block: *const T, offset: usize) -> u32 {
    (block as usize + offset) as u32
}

macro_rules! same {
    ($ours:expr, $block:expr, $type:path, $field:ident) => {{
        use $type as Block;
        assert_eq!(
            $ours,
            at($block, offset_of!(Block, $field)),
            stringify!($field)
        );
    }};
}

#[test]
fn addresses_are_the_chips() {
    use ral::flexspi::RegisterBlock as F;
    let f = ral::flexspi::FLEXSPI1;
    same!(flexspi::MCR0, f, F, MCR0);
    same!(flexspi::MCR1, f, F, MCR1);
    same!(flexspi::AHBCR, f, F, AHBCR);
    same!(flexspi::INTEN, f, F, INTEN);
    same!(flexspi::INTR, f, F, INTR);
    same!(flexspi::LUTKEY, f, F, LUTKEY);
    same!(flexspi::LUTCR, f, F, LUTCR);
    same!(flexspi::FLSHA1CR0, f, F, FLSHA1CR0);
    same!(flexspi::FLSHA2CR0, f, F, FLSHA2CR0);
    same!(flexspi::FLSHB1CR0, f, F, FLSHB1CR0);
    same!(flexspi::FLSHB2CR0, f, F, FLSHB2CR0);
    same!(flexspi::FLSHA1CR1, f, F, FLSHCR1);
    same!(flexspi::FLSHA1CR2, f, F, FLSHCR2);
    same!(flexspi::IPCR0, f, F, IPCR0);
    same!(flexspi::IPCR1, f, F, IPCR1);
    same!(flexspi::IPCMD, f, F, IPCMD);
    same!(flexspi::IPRXFCR, f, F, IPRXFCR);
    same!(flexspi::IPTXFCR, f, F, IPTXFCR);
    same!(flexspi::DLLCRA, f, F, DLLCR);
    same!(flexspi::STS0, f, F, STS0);
    same!(flexspi::STS1, f, F, STS1);
    same!(flexspi::IPRXFSTS, f, F, IPRXFSTS);
    same!(flexspi::RFDR, f, F, RFDR);
    same!(flexspi::TFDR, f, F, TFDR);
    same!(flexspi::LUT, f, F, LUT);
    use ral::ccm::RegisterBlock as C;
    let c = ral::ccm::CCM;
    same!(ccm::CACRR, c, C, CACRR);
    same!(ccm::CSCMR1, c, C, CSCMR1);
    same!(ccm::CCGR0, c, C, CCGR0);
    same!(ccm::CCGR6, c, C, CCGR6);
    use ral::ccm_analog::RegisterBlock as A;
    let a = ral::ccm_analog::CCM_ANALOG;
    same!(ccm_analog::PLL_ARM, a, A, PLL_ARM);
    same!(ccm_analog::PLL_USB1, a, A, PLL_USB1);
    same!(ccm_analog::PFD_480, a, A, PFD_480);
    use ral::gpt::RegisterBlock as G;
    let g = ral::gpt::GPT2;
    same!(gpt2::CR, g, G, CR);
    same!(gpt2::PR, g, G, PR);
    same!(gpt2::IR, g, G, IR);
    same!(gpt2::CNT, g, G, CNT);
    use ral::wdog::RegisterBlock as W;
    same!(wdog::WDOG1 + wdog::WCR, ral::wdog::WDOG1, W, WCR);
    same!(wdog::WDOG2 + wdog::WSR, ral::wdog::WDOG2, W, WSR);
    same!(wdog::WDOG1 + wdog::WMCR, ral::wdog::WDOG1, W, WMCR);
    use ral::rtwdog::RegisterBlock as R;
    same!(rtwdog::CS, ral::rtwdog::RTWDOG, R, CS);
    same!(rtwdog::CNT, ral::rtwdog::RTWDOG, R, CNT);
    same!(rtwdog::TOVAL, ral::rtwdog::RTWDOG, R, TOVAL);
    use ral::iomuxc::RegisterBlock as I;
    let i = ral::iomuxc::IOMUXC;
    same!(iomuxc::DQS.mux, i, I, SW_MUX_CTL_PAD_GPIO_SD_B1_05);
    same!(iomuxc::DQS.control, i, I, SW_PAD_CTL_PAD_GPIO_SD_B1_05);
    same!(
        iomuxc::DQS.select_input.unwrap(),
        i,
        I,
        FLEXSPIA_DQS_SELECT_INPUT
    );
    same!(iomuxc::PADS[0].mux, i, I, SW_MUX_CTL_PAD_GPIO_SD_B1_06);
    same!(iomuxc::PADS[1].mux, i, I, SW_MUX_CTL_PAD_GPIO_SD_B1_07);
    same!(
        iomuxc::PADS[1].select_input.unwrap(),
        i,
        I,
        FLEXSPIA_SCK_SELECT_INPUT
    );
    same!(iomuxc::PADS[2].mux, i, I, SW_MUX_CTL_PAD_GPIO_SD_B1_08);
    same!(
        iomuxc::PADS[2].select_input.unwrap(),
        i,
        I,
        FLEXSPIA_DATA0_SELECT_INPUT
    );
    same!(
        iomuxc::PADS[3].select_input.unwrap(),
        i,
        I,
        FLEXSPIA_DATA1_SELECT_INPUT
    );
    same!(
        iomuxc::PADS[4].select_input.unwrap(),
        i,
        I,
        FLEXSPIA_DATA2_SELECT_INPUT
    );
    same!(
        iomuxc::PADS[5].select_input.unwrap(),
        i,
        I,
        FLEXSPIA_DATA3_SELECT_INPUT
    );
    same!(iomuxc::PADS[5].mux, i, I, SW_MUX_CTL_PAD_GPIO_SD_B1_11);
    same!(iomuxc::PADS[5].control, i, I, SW_PAD_CTL_PAD_GPIO_SD_B1_11);
}

#[test]
fn fields_are_the_chips() {
    use ral::flexspi as f;
    assert_eq!(flexspi::MCR0_SWRESET, f::MCR0::SWRESET::mask);
    assert_eq!(flexspi::MCR0_MDIS, f::MCR0::MDIS::mask);
    assert_eq!(flexspi::MCR0_RXCLKSRC_SHIFT, f::MCR0::RXCLKSRC::offset);
    assert_eq!(flexspi::INTR_IPCMDDONE, f::INTR::IPCMDDONE::mask);
    assert_eq!(flexspi::INTR_IPCMDGE, f::INTR::IPCMDGE::mask);
    assert_eq!(flexspi::INTR_IPCMDERR, f::INTR::IPCMDERR::mask);
    assert_eq!(flexspi::INTR_IPRXWA, f::INTR::IPRXWA::mask);
    assert_eq!(flexspi::INTR_IPTXWE, f::INTR::IPTXWE::mask);
    assert_eq!(flexspi::INTR_SEQTIMEOUT, f::INTR::SEQTIMEOUT::mask);
    assert_eq!(flexspi::FLSHCR2_CLRINSTRPTR, f::FLSHCR2::CLRINSTRPTR::mask);
    assert_eq!(flexspi::IPCR1_ISEQID_SHIFT, f::IPCR1::ISEQID::offset);
    assert_eq!(flexspi::FIFO_WATERMARK_SHIFT, f::IPRXFCR::RXWMRK::offset);
    assert_eq!(flexspi::FSTS_FILL, f::IPRXFSTS::FILL::mask);
    assert_eq!(
        flexspi::STS0_IDLE,
        f::STS0::SEQIDLE::mask | f::STS0::ARBIDLE::mask
    );
    assert_eq!(flexspi::DLLCR_OVERRIDE, f::DLLCR::OVRDEN::mask);
    assert_eq!(
        ccm::CSCMR1_FLEXSPI_PODF,
        ral::ccm::CSCMR1::FLEXSPI_PODF::mask
    );
    assert_eq!(
        ccm::CSCMR1_FLEXSPI_CLK_SEL,
        ral::ccm::CSCMR1::FLEXSPI_CLK_SEL::mask
    );
    assert_eq!(
        ccm::CSCMR1_PERCLK_CLK_SEL,
        ral::ccm::CSCMR1::PERCLK_CLK_SEL::mask
    );
    assert_eq!(ccm::CCGR6_FLEXSPI, ral::ccm::CCGR6::CG5::mask);
    assert_eq!(
        ccm::CCGR0_GPT2,
        ral::ccm::CCGR0::CG12::mask | ral::ccm::CCGR0::CG13::mask
    );
    use ral::ccm_analog as a;
    assert_eq!(ccm_analog::PLL_ARM_DIV_SELECT, a::PLL_ARM::DIV_SELECT::mask);
    assert_eq!(ccm_analog::PLL_ARM_POWERDOWN, a::PLL_ARM::POWERDOWN::mask);
    assert_eq!(ccm_analog::PLL_BYPASS, a::PLL_ARM::BYPASS::mask);
    assert_eq!(ccm_analog::PLL_ENABLE, a::PLL_USB1::ENABLE::mask);
    assert_eq!(ccm_analog::PLL_USB1_POWER, a::PLL_USB1::POWER::mask);
    assert_eq!(ccm_analog::PLL_LOCK, a::PLL_USB1::LOCK::mask);
    assert_eq!(ccm_analog::PFD_480_PFD0_FRAC, a::PFD_480::PFD0_FRAC::mask);
    assert_eq!(
        ccm_analog::PFD_480_PFD0_CLKGATE,
        a::PFD_480::PFD0_CLKGATE::mask
    );
    assert_eq!(gpt2::CR_EN_24M, ral::gpt::CR::EN_24M::mask);
    assert_eq!(gpt2::CR_FRR, ral::gpt::CR::FRR::mask);
    assert_eq!(gpt2::CR_ENMOD, ral::gpt::CR::ENMOD::mask);
    assert_eq!(gpt2::CR_CLKSRC_CRYSTAL, 5 << ral::gpt::CR::CLKSRC::offset);
    assert_eq!(wdog::WCR_WDE, ral::wdog::WCR::WDE::mask);
    assert_eq!(wdog::WMCR_PDE, ral::wdog::WMCR::PDE::mask);
    assert_eq!(rtwdog::CS_EN, ral::rtwdog::CS::EN::mask);
    assert_eq!(rtwdog::CS_UPDATE, ral::rtwdog::CS::UPDATE::mask);
    assert_eq!(rtwdog::CS_RCS, ral::rtwdog::CS::RCS::mask);
    assert_eq!(rtwdog::CS_CMD32EN, ral::rtwdog::CS::CMD32EN::mask);
}
