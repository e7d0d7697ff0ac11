//! How an access finds its block, and what a write there means for the rest of the chip.

use super::gpt::GptClocks;
use super::map::Block;
use super::registers::{Access, Bank};
use super::{GPIO_EDGE_LIMIT, GpioEdge, Soc};
use crate::bus::{BusFault, Width};
use crate::time::Time;

const SEMC_INTR: u32 = 0x3C;
const SEMC_IPCMD: u32 = 0x9C;
const SEMC_INTR_IPCMDDONE: u32 = 1;
/// Upper half of a SEMC command word that makes it count.
const SEMC_COMMAND_KEY: u32 = 0xA55A;

impl Soc {
    /// Refuses blocks that are not modelled or whose clock gate is closed.
    pub(super) fn check(
        &self,
        block: Block,
        address: u32,
        access: &mut Access,
    ) -> Result<(), BusFault> {
        if let Block::NotModelled(name) = block {
            return Err(access.refuse("soc", format!("not modelled: {address:#010X} ({name})")));
        }
        match block.clock_gate() {
            Some((register, gate)) if !self.clocks.gate_open(register, gate) => Err(access.refuse(
                "soc",
                format!("{address:#010X}: clock gated by CCGR{register}.CG{gate}"),
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn read_block(
        &mut self,
        block: Block,
        offset: u32,
        width: Width,
        access: &mut Access,
    ) -> Result<u32, BusFault> {
        match block {
            Block::Ccm => self.clocks.read_ccm(offset, width, access),
            Block::Analog => self.clocks.read_analog(offset, width, access),
            Block::Iomuxc => self.iomuxc.read_pad(offset, width, access),
            Block::IomuxcGpr => self.iomuxc.gpr().read(offset, width, access),
            Block::IomuxcSnvs => self.iomuxc.snvs_mut().read(offset, width, access),
            Block::IomuxcSnvsGpr => self.iomuxc.snvs_gpr_mut().read(offset, width, access),
            Block::Src => self.reset_controller.read(offset, width, access),
            Block::Ocotp => self.ocotp.read(offset, width, &self.fuses, access),
            Block::Wdog(i) => self
                .wdogs
                .get(i)
                .ok_or(BusFault)?
                .read(offset, width, access),
            Block::RtWdog => self.rtwdog.read(offset, width, access),
            Block::Gpt(i) => {
                self.distribute_clocks(access.now);
                self.gpts
                    .get_mut(i)
                    .ok_or(BusFault)?
                    .read(offset, width, access)
            }
            Block::Pit => {
                self.distribute_clocks(access.now);
                self.pit.read(offset, width, access)
            }
            Block::Gpio(i) => self
                .gpios
                .get(i)
                .ok_or(BusFault)?
                .read(offset, width, access),
            Block::Lpuart(i) => self
                .lpuarts
                .get_mut(i)
                .ok_or(BusFault)?
                .read(offset, width, access),
            _ => self
                .bank(block)
                .ok_or(BusFault)?
                .read(offset, width, access),
        }
    }

    pub(super) fn write_block(
        &mut self,
        block: Block,
        offset: u32,
        width: Width,
        value: u32,
        access: &mut Access,
    ) -> Result<(), BusFault> {
        match block {
            Block::Ccm | Block::Analog => {
                if block == Block::Ccm {
                    self.clocks.write_ccm(offset, width, value, access)?;
                } else {
                    self.clocks.write_analog(offset, width, value, access)?;
                }
                self.distribute_clocks(access.now);
                Ok(())
            }
            Block::Iomuxc => self.iomuxc.write_pad(offset, width, value, access),
            Block::IomuxcGpr => self
                .iomuxc
                .gpr_mut()
                .write(offset, width, value, access)
                .map(|_| ()),
            Block::IomuxcSnvs => self
                .iomuxc
                .snvs_mut()
                .write(offset, width, value, access)
                .map(|_| ()),
            Block::IomuxcSnvsGpr => self
                .iomuxc
                .snvs_gpr_mut()
                .write(offset, width, value, access)
                .map(|_| ()),
            Block::Src => self.reset_controller.write(offset, width, value, access),
            Block::Ocotp => self.ocotp.write(offset, width, value, access),
            Block::Wdog(i) => self
                .wdogs
                .get_mut(i)
                .ok_or(BusFault)?
                .write(offset, width, value, access),
            Block::RtWdog => {
                let bus_hz = self.clocks.ipg_hz(access.now);
                self.rtwdog.write(offset, width, value, bus_hz, access)
            }
            Block::Gpt(i) => {
                self.distribute_clocks(access.now);
                self.gpts
                    .get_mut(i)
                    .ok_or(BusFault)?
                    .write(offset, width, value, access)
            }
            Block::Pit => {
                self.distribute_clocks(access.now);
                self.pit.write(offset, width, value, access)
            }
            Block::Gpio(i) => {
                let (changed, levels) = self
                    .gpios
                    .get_mut(i)
                    .ok_or(BusFault)?
                    .write(offset, width, value, access)?;
                self.log_edges(i + 1, changed, levels, access.now);
                Ok(())
            }
            Block::Lpuart(i) => {
                self.distribute_clocks(access.now);
                self.lpuarts
                    .get_mut(i)
                    .ok_or(BusFault)?
                    .write(offset, width, value, access)
            }
            _ => {
                let written = self
                    .bank(block)
                    .ok_or(BusFault)?
                    .write(offset, width, value, access)?;
                // A SEMC command is done at once: enough for a DCD that waits for IPCMDDONE.
                if block == Block::Semc
                    && written.offset == SEMC_IPCMD
                    && value >> 16 == SEMC_COMMAND_KEY
                {
                    self.semc
                        .put(SEMC_INTR, self.semc.get(SEMC_INTR) | SEMC_INTR_IPCMDDONE);
                }
                Ok(())
            }
        }
    }

    fn bank(&mut self, block: Block) -> Option<&mut Bank> {
        match block {
            Block::Aipstz(i) => self.aipstz.get_mut(i),
            Block::Dcdc => Some(&mut self.dcdc),
            Block::FlexRam => Some(&mut self.flexram),
            Block::Snvs => Some(&mut self.snvs),
            Block::Gpc => Some(&mut self.gpc),
            Block::Semc => Some(&mut self.semc),
            _ => None,
        }
    }

    fn log_edges(&mut self, port: usize, changed: u32, levels: u32, at: Time) {
        for pin in (0..32).filter(|pin| changed >> pin & 1 == 1) {
            // GPIO1..4 share their pads with GPIO6..9; GPR26 to GPR29 choose.
            let (slow, wants_fast) = if port >= 6 {
                (port - 5, true)
            } else {
                (port, false)
            };
            if port != 5 && self.iomuxc.fast_gpio(slow, pin) != wants_fast {
                continue;
            }
            if self.edges.len() < GPIO_EDGE_LIMIT {
                self.edges.push(GpioEdge {
                    at,
                    port,
                    pin,
                    level: levels >> pin & 1 == 1,
                });
            } else {
                self.edges_dropped += 1;
            }
        }
    }

    /// Tells the clocked blocks what the tree now gives them.
    pub(super) fn distribute_clocks(&mut self, now: Time) {
        let perclk_hz = self.clocks.perclk_hz(now);
        for (index, gpt) in self.gpts.iter_mut().enumerate() {
            let (register, gate) = Block::GPT_SERIAL_GATES
                .get(index)
                .copied()
                .unwrap_or((0, 0));
            gpt.set_clocks(
                now,
                GptClocks {
                    perclk_hz,
                    gate_open: self.clocks.gate_open(register, gate),
                },
            );
        }
        self.pit.set_clock(now, perclk_hz);
        let uart_hz = self.clocks.uart_hz(now);
        self.lpuarts.iter_mut().for_each(|u| u.set_clock(uart_hz));
    }
}
